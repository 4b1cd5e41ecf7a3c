import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitUntil } from '../src/net/wait-until.ts';
import { Keeper } from '../src/processes/keeper.ts';
import { identify, isAlive } from '../src/processes/process-identity.ts';
import { SupervisedProcess, type ProcessSpec } from '../src/processes/supervised-process.ts';

let folder: string;
let keeper: Keeper;
let events: string[];
let running: SupervisedProcess[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bluewave-process-'));
  keeper = new Keeper();
  events = [];
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((one) => one.stop()));
  await keeper.close();
  await rm(folder, { recursive: true, force: true });
});

/** A process that runs `script`; it serves once its log holds `up`. */
const supervised = (script: string, overrides: Partial<ProcessSpec> = {}): SupervisedProcess => {
  const logFile = path.join(folder, 'log');
  let served = 0;
  const one = new SupervisedProcess(
    {
      name: 'engine',
      command: process.execPath,
      args: ['-e', script],
      env: { PATH: process.env['PATH'] },
      cwd: folder,
      logFile,
      ready: async (signal) => {
        const isUp = async (): Promise<void> => {
          const ups = (await readFile(logFile, 'utf8')).split('up\n').length - 1;
          if (ups <= served) throw new Error('not up');
        };
        await waitUntil(isUp, { signal, timeoutMs: 3_000 });
        served += 1;
      },
      stopTimeoutMs: 500,
      ...overrides,
    },
    keeper,
    {
      started: (name) => events.push(`${name} started`),
      died: (name, how) => events.push(`${name} died: ${how}`),
      restarted: (name) => events.push(`${name} restarted`),
      restartFailed: (name, reason) => events.push(`${name} failed: ${reason}`),
    },
  );
  running.push(one);
  return one;
};

const SERVE = 'console.log("up"); setInterval(() => {}, 1000)';

describe('a supervised process', () => {
  it('given one that serves, when it is killed, then it is restarted within 2 s and said so', async () => {
    const one = supervised(SERVE);
    await one.start();
    const before = one.pid;
    const killedAt = performance.now();
    await one.kill('SIGKILL');
    expect(one.pid).toBeUndefined();
    await one.waitRestarted(3_000);
    expect(performance.now() - killedAt).toBeLessThan(2_000);
    expect(one.pid).not.toBe(before);
    expect(events).toEqual(['engine started', 'engine died: killed by SIGKILL', 'engine started', 'engine restarted']);
  });

  it('given one that ends again and again, when it has served before, then it is tried again every 2 s at most', async () => {
    const script =
      'const fs = require("fs"); if (fs.existsSync("broken")) process.exit(3); fs.writeFileSync("broken", ""); console.log("up"); setInterval(() => {}, 1000)';
    const one = supervised(script);
    await one.start();
    await one.kill('SIGKILL');
    await expect(one.waitRestarted(2_000)).rejects.toThrow('engine was not up again within 2000 ms.');
    expect(events.slice(0, 6)).toEqual([
      'engine started',
      'engine died: killed by SIGKILL',
      'engine started',
      'engine died: ended with code 3',
      'engine failed: it ended with code 3',
      'engine started',
    ]);
    await rm(path.join(folder, 'broken'));
    await one.waitRestarted(4_000);
    expect(events.at(-1)).toBe('engine restarted');
  });

  it('given one that ends at once, when it is started, then the error holds its last words and nothing is restarted', async () => {
    const one = supervised('console.error("fatal: address in use"); process.exit(1)');
    await expect(one.start()).rejects.toThrow(
      'engine did not start: it ended with code 1; it said: fatal: address in use',
    );
    expect(events).toEqual(['engine started']);
  });

  it('given a program that is not there, when it is started, then the error says so', async () => {
    const one = supervised('', { command: path.join(folder, 'absent') });
    await expect(one.start()).rejects.toThrow(/^engine did not start: it .*ENOENT/);
  });

  it('given one that does not come to serve, when starting is given up, then it is ended', async () => {
    const one = supervised('setInterval(() => {}, 1000)');
    const giveUp = new AbortController();
    const started = one.start(giveUp.signal);
    const identity = identify(one.pid ?? 0);
    giveUp.abort(new Error('given up'));
    await expect(started).rejects.toThrow('given up');
    expect(isAlive(identity)).toBe(false);
  });

  it('given one that ignores SIGTERM, when it is stopped, then it is killed after its time and not restarted', async () => {
    const one = supervised(`process.on("SIGTERM", () => {}); ${SERVE}`);
    await one.start();
    const identity = identify(one.pid ?? 0);
    const stoppedAt = performance.now();
    await one.stop();
    expect(performance.now() - stoppedAt).toBeGreaterThanOrEqual(490);
    expect(isAlive(identity)).toBe(false);
    expect(events).toEqual(['engine started']);
  });

  it('given one that is frozen, when it is stopped, then it ends all the same', async () => {
    const one = supervised(SERVE);
    await one.start();
    const identity = identify(one.pid ?? 0);
    await one.kill('SIGSTOP');
    expect(isAlive(identity)).toBe(true);
    await one.stop();
    expect(isAlive(identity)).toBe(false);
  });

  it('given one whose lines are wanted, when it writes, then each line comes with its stream', async () => {
    const lines: string[] = [];
    const script = 'console.log("one\\ntwo"); console.error("three"); setInterval(() => {}, 1000)';
    const ready = (): Promise<void> =>
      waitUntil(() => (lines.length === 3 ? Promise.resolve() : Promise.reject(new Error('waiting'))), {
        timeoutMs: 3_000,
      });
    const one = supervised(script, {
      onLine: (line, stream) => lines.push(`${stream} ${line}`),
      ready,
      lastWords: () => '',
    });
    await one.start();
    expect(lines.sort()).toEqual(['stderr three', 'stdout one', 'stdout two']);
  });
});
