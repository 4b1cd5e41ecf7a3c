import { once } from 'node:events';
import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';
import { PlatformError, systemCode } from '../platform-error.ts';

/**
 * Below the range from which systems take the ports of outgoing connections (Linux 32768+, macOS 49152+). A listener
 * that is being restarted must find its port free again, and a client that keeps dialling a dead port inside that range
 * may even connect to itself.
 */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const ATTEMPTS = 200;

const given = new Set<number>();

/** Whether something could listen on `host:port` right now. Throws for errors other than "in use". */
export const isPortFree = async (port: number, host = '127.0.0.1'): Promise<boolean> => {
  const server = createServer();
  try {
    server.listen({ port, host, exclusive: true });
    await once(server, 'listening');
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EADDRINUSE') return false;
    if (code === 'EACCES') throw new PlatformError(`Port ${port} needs more rights: use a port above 1023.`);
    throw error;
  } finally {
    server.close();
  }
};

/** A port of 127.0.0.1 that is free now and was not given to anyone else in this process. */
export const freePort = async (): Promise<number> => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (given.has(port)) continue;
    if (await isPortFree(port)) {
      given.add(port);
      return port;
    }
  }
  throw new PlatformError(`No free port found between ${LOWEST} and ${HIGHEST} on 127.0.0.1.`);
};
