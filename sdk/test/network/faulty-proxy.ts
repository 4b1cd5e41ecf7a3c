import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { type FaultyLink, type FaultyLinks, goodLink, type Link } from './faulty-link.ts';

const ticksPerSecond = 10;

type Pair = { client: Socket; gateway: Socket; frozen: boolean; muted: boolean };

/**
 * A TCP proxy in front of a gateway that is as bad as it is told to be: for machines without toxiproxy. Unlike it, `freeze`
 * and `mute` leave new connections alone.
 */
export class FaultyProxy implements FaultyLink {
  readonly #server: Server;
  readonly #target: URL;
  readonly #random: () => number;
  readonly #pairs = new Set<Pair>();
  #link: Link = goodLink;

  private constructor(gateway: string, random: () => number) {
    this.#target = new URL(gateway);
    this.#random = random;
    this.#server = createServer((client) => this.#accept(client));
  }

  static async open(gateway: string, random: () => number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(gateway, random);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** For connections there are and those to come. */
  async setLink(link: Partial<Link>): Promise<void> {
    this.#link = { ...goodLink, ...link };
    if (this.#link.refuses) await this.reset();
  }

  /** Ends every connection with a reset. */
  async reset(): Promise<void> {
    for (const pair of this.#pairs) end(pair);
  }

  /** Connections stay open and nothing passes any more, as behind a router that forgot them. New ones are not affected. */
  async freeze(): Promise<void> {
    for (const pair of this.#pairs) pair.frozen = true;
  }

  /** What the gateway says is lost; what it is told arrives. */
  async mute(): Promise<void> {
    for (const pair of this.#pairs) pair.muted = true;
  }

  /** A good link from now on; connections that nothing passes through are ended. */
  async heal(): Promise<void> {
    this.#link = goodLink;
    for (const pair of this.#pairs) if (pair.frozen || pair.muted) end(pair);
  }

  async close(): Promise<void> {
    await this.reset();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    if (this.#link.refuses) {
      client.resetAndDestroy();
      return;
    }
    const gateway = connect({ host: this.#target.hostname, port: Number(this.#target.port) });
    const pair: Pair = { client, gateway, frozen: false, muted: false };
    this.#pairs.add(pair);
    for (const socket of [client, gateway]) {
      socket.setNoDelay(true);
      socket.on('error', () => end(pair));
      socket.on('close', () => {
        if (!pair.frozen) end(pair);
        if (client.destroyed && gateway.destroyed) this.#pairs.delete(pair);
      });
    }
    void this.#pump(pair, client, gateway);
    void this.#pump(pair, gateway, client);
  }

  /** Takes bytes one way, in order. */
  async #pump(pair: Pair, from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from) {
        const { delayMs, jitterMs } = this.#link;
        await pause(delayMs + this.#random() * jitterMs);
        let bytes = chunk as Buffer;
        while (bytes.length > 0) {
          const perTick = Math.ceil(Math.min(bytes.length, this.#link.bytesPerSecond / ticksPerSecond));
          if (perTick < bytes.length) await pause(1_000 / ticksPerSecond);
          const some = bytes.subarray(0, perTick);
          bytes = bytes.subarray(perTick);
          if (pair.frozen || (pair.muted && from === pair.gateway)) continue;
          if (!to.write(some)) await new Promise((resolve) => to.once('drain', resolve).once('close', resolve));
        }
      }
      if (!pair.frozen) to.end();
    } catch {
      // One side was reset: so is the other.
      end(pair);
    }
  }
}

async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}

function end({ client, gateway }: Pair): void {
  for (const socket of [client, gateway]) {
    if (!socket.destroyed) socket.resetAndDestroy();
  }
}

/** Links through proxies in this process. */
export function ownLinks(random: () => number): FaultyLinks {
  return { kind: 'own', open: (gateway) => FaultyProxy.open(gateway, random), close: async () => undefined };
}
