import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { randomInt } from 'node:crypto';
import { PlatformError, systemCode } from '../platform-error.ts';

/**
 * Below the range from which systems take the ports of outgoing connections (Linux 32768+, macOS 49152+). A listener
 * that is being restarted must find its port free again, and a client that keeps dialling a dead port inside that range
 * may even connect to itself.
 */
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** How many ports a process claims at once. */
const BLOCK = 100;
const ATTEMPTS = 200;

/** A range of ports that no other process chooses from. */
type Block = { next: number; readonly end: number };

let current: Promise<Block> | undefined;

const listen = async (port: number, host: string): Promise<Server | undefined> => {
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen({ port, host, exclusive: true });
    await once(server, 'listening');
    return server;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EADDRINUSE') return undefined;
    if (code === 'EACCES') throw new PlatformError(`Port ${port} needs more rights: use a port above 1023.`);
    throw error;
  }
};

/** Whether something could listen on `host:port` right now. Throws for errors other than "in use". */
export const isPortFree = async (port: number, host = '127.0.0.1'): Promise<boolean> => {
  const server = await listen(port, host);
  server?.close();
  return server !== undefined;
};

/**
 * A port is given seconds before who asked for it listens there, and another process that looks meanwhile finds it
 * free. So each process listens on the first port of the block it chooses from: the system holds that claim, and ends
 * it with the process however that ends.
 */
const claimBlock = async (): Promise<Block> => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const first = LOWEST + BLOCK * randomInt((HIGHEST - LOWEST) / BLOCK);
    const claim = await listen(first, '127.0.0.1');
    if (claim === undefined) continue;
    claim.unref();
    return { next: first + 1, end: first + BLOCK };
  }
  throw new PlatformError(`No free ports were found between ${LOWEST} and ${HIGHEST} on 127.0.0.1.`);
};

const areFree = async (first: number, count: number): Promise<boolean> => {
  for (let port = first; port < first + count; port += 1) if (!(await isPortFree(port))) return false;
  return true;
};

/**
 * The first of `count` ports of 127.0.0.1 in a row that are free now and were given to nobody else, in this process or
 * in another that chooses by this function.
 *
 * @param count 1 to 50
 */
export const freePorts = async (count: number): Promise<number> => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const claimed = (current ??= claimBlock());
    const block = await claimed;
    const first = block.next;
    if (first + count > block.end) {
      if (current === claimed) current = undefined;
      continue;
    }
    block.next += count;
    if (await areFree(first, count)) return first;
  }
  throw new PlatformError(`No ${count} free ports were found between ${LOWEST} and ${HIGHEST} on 127.0.0.1.`);
};

/** A port of 127.0.0.1 that is free now and was given to nobody else, see `freePorts`. */
export const freePort = (): Promise<number> => freePorts(1);
