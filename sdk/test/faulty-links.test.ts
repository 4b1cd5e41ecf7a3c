import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FaultyLink, FaultyLinks } from './network/faulty-link.ts';
import { ownLinks } from './network/faulty-proxy.ts';
import { openLinks } from './network/open-links.ts';

/** A connection through a link to a server that sends everything back. */
class Caller {
  readonly socket: Socket;
  heard = '';
  end: string | undefined;

  constructor(url: string) {
    this.socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    this.socket.on('data', (chunk: Buffer) => (this.heard += chunk.toString()));
    this.socket.on('error', (error: NodeJS.ErrnoException) => (this.end ??= error.code));
    this.socket.on('close', () => (this.end ??= 'closed'));
  }

  say(text: string): void {
    this.socket.write(text);
  }

  async until(isSo: () => boolean, ms = 5_000): Promise<void> {
    for (const end = performance.now() + ms; !isSo();) {
      if (performance.now() > end) throw new Error(`not within ${ms} ms; heard ${this.heard.length}, end ${this.end}`);
      await pause(5);
    }
  }
}

for (const [name, open] of [
  ['toxiproxy, or what stands in for it', () => openLinks(Math.random)],
  ['our own proxy', async () => ownLinks(Math.random)],
] as const) {
  describe(`faulty links through ${name}`, () => {
    let server: Server;
    let links: FaultyLinks;
    let link: FaultyLink;
    const told: string[] = [];
    const callers: Caller[] = [];

    const call = async (): Promise<Caller> => {
      const caller = new Caller(link.url);
      callers.push(caller);
      caller.say('hello');
      await caller.until(() => caller.heard === 'hello');
      caller.heard = '';
      return caller;
    };

    beforeAll(async () => {
      server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('data', (chunk: Buffer) => {
          told.push(chunk.toString());
          socket.write(chunk);
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      links = await open();
      link = await links.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    }, 180_000);
    afterAll(async () => {
      for (const { socket } of callers) socket.destroy();
      await link.close();
      await links.close();
      server.close();
    });

    it('given a good link, when something is said, then it comes back', async () => {
      const caller = await call();

      expect(caller.end).toBeUndefined();
    });

    it('given a delay, when something is said, then it takes at least that long each way, and not when it is healed', async () => {
      const caller = await call();
      await link.setLink({ delayMs: 150, jitterMs: 20 });
      const startedAt = performance.now();
      caller.say('late');
      await caller.until(() => caller.heard === 'late');

      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(290);
      await link.heal();
      const again = await call();
      expect(again.end).toBeUndefined();
    });

    it('given a throttled link, when 30 kB are sent at 20 kB/s, then they take more than a second', async () => {
      const caller = await call();
      await link.setLink({ bytesPerSecond: 20_000 });
      const startedAt = performance.now();
      caller.say('x'.repeat(30_000));
      await caller.until(() => caller.heard.length === 30_000, 15_000);

      expect(performance.now() - startedAt).toBeGreaterThan(1_000);
      await link.heal();
    }, 20_000);

    it('given connections, when they are reset, then each ends, and new ones are let through', async () => {
      const caller = await call();
      await link.reset();
      await caller.until(() => caller.end !== undefined);

      expect(caller.end).toMatch(/ECONNRESET|closed/);
      await call();
    });

    it('given a frozen link, when something is said, then nothing arrives and nothing ends until it is healed', async () => {
      const caller = await call();
      await link.freeze();
      caller.say('into the void');
      await pause(300);

      expect([caller.heard, caller.end, told.includes('into the void')]).toEqual(['', undefined, false]);
      await link.heal();
      await caller.until(() => caller.end !== undefined);
      await call();
    });

    it('given a muted link, when something is said, then it arrives and nothing comes back until it is healed', async () => {
      const caller = await call();
      await link.mute();
      caller.say('half open');
      await caller.until(() => told.includes('half open'));
      await pause(200);

      expect([caller.heard, caller.end]).toEqual(['', undefined]);
      await link.heal();
      await caller.until(() => caller.end !== undefined);
      await call();
    });

    it('given a link that refuses, when somebody connects, then it ends at once, as do those there were', async () => {
      const before = await call();
      await link.setLink({ refuses: true });
      await before.until(() => before.end !== undefined);
      const after = new Caller(link.url);
      await after.until(() => after.end !== undefined);

      expect(after.end).toMatch(/ECONNREFUSED|ECONNRESET/);
      await link.heal();
      await call();
    });
  });
}
