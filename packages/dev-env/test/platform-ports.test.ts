import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { freePort, isPortFree } from '../src/net/free-port.ts';
import { platformPorts } from '../src/platform/platform-ports.ts';

describe('the ports of a platform', () => {
  it('given a port, when all are free, then gateways follow it and the phones page is at port + 9', async () => {
    const { gateways } = await platformPorts(0, 3);
    const [first = 0] = gateways;
    expect(await platformPorts(first, 3)).toEqual({ gateways: [first, first + 1, first + 2], fcm: first + 9 });
  });

  it.each([0, 1, 9])(
    'given port + %i in use, when they are chosen, then the sentence names that port',
    async (offset) => {
      const { gateways } = await platformPorts(0, 2);
      const [first = 0] = gateways;
      const server = createServer().listen(first + offset, '127.0.0.1');
      await once(server, 'listening');
      await expect(platformPorts(first, 2)).rejects.toThrow(
        `Port ${first + offset} is in use: stop what uses it, or choose other ports with --port.`,
      );
      server.close();
    },
  );

  it('given ten gateways, when they are chosen, then they are refused, for they would reach the phones page', async () => {
    await expect(platformPorts(0, 10)).rejects.toThrow('There can be 1 to 9 gateways.');
  });

  it('given many requests, when free ports are chosen, then each is given once and below those of outgoing connections', async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));
    expect(new Set(ports).size).toBe(50);
    expect(ports.every((port) => port >= 20_000 && port < 32_000)).toBe(true);
    expect(await isPortFree(ports[0] ?? 0)).toBe(true);
  });
});
