import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from '@jest/globals';
import { freePort, isPortFree } from '../src/net/free-port.ts';
import { platformPorts } from '../src/platform/platform-ports.ts';

const others: ChildProcess[] = [];

/** Ports that another process chose, which goes on living. */
const chosenElsewhere = async (count: number): Promise<number[]> => {
  const program = `
    const { freePort } = await import('@bluewave/dev-env/net/free-port');
    const ports = [];
    while (ports.length < ${count}) ports.push(await freePort());
    console.log(JSON.stringify(ports));
    process.stdin.resume();`;
  const other = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  others.push(other);
  const [line] = (await once(createInterface(other.stdout), 'line')) as [string];
  return JSON.parse(line) as number[];
};

afterEach(async () => {
  for (const other of others.splice(0)) {
    other.stdin?.end();
    await once(other, 'exit');
  }
});

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

  it('given processes that choose at the same time, when none listens yet, then no port is given twice', async () => {
    const [first, second] = await Promise.all([chosenElsewhere(250), chosenElsewhere(250)]);
    expect(new Set([...first, ...second]).size).toBe(500);
  });
});
