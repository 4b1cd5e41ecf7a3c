import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { waitUntil } from '../src/net/wait-until.ts';
import { identify, isAlive, type ProcessIdentity } from '../src/processes/process-identity.ts';

type Told = { children: number[]; keeper: number };

let root: string;
let folder: string;
let file: string;
let parent: ChildProcess;
let lines: Interface;
let told: Told;
let children: ProcessIdentity[];

const nextLine = (): Promise<Told> =>
  new Promise((resolve) => lines.once('line', (line) => resolve(JSON.parse(line) as Told)));

const start = async (how: 'obedient' | 'stubborn'): Promise<void> => {
  root = await mkdtemp(path.join(os.tmpdir(), 'bluewave-keeper-'));
  folder = path.join(root, 'data');
  file = path.join(root, 'platform.json');
  await mkdir(folder);
  await writeFile(path.join(folder, 'x'), 'x');
  await writeFile(file, '{}');
  const fixture = fileURLToPath(new URL('./fixtures/guarding-parent.mjs', import.meta.url));
  parent = spawn(process.execPath, [fixture, folder, file, how], { stdio: ['pipe', 'pipe', 'inherit'] });
  if (parent.stdout === null) throw new Error('no stdout');
  lines = createInterface({ input: parent.stdout });
  told = await nextLine();
  children = told.children.map(identify);
};

afterEach(async () => {
  parent.kill('SIGKILL');
  await waitUntil(() => (children.some(isAlive) ? Promise.reject(new Error('alive')) : Promise.resolve()), {
    timeoutMs: 10_000,
  });
  await rm(root, { recursive: true, force: true });
});

const settled = (): Promise<void> =>
  waitUntil(
    () => {
      expect({ alive: children.filter(isAlive), folder: existsSync(folder), file: existsSync(file) }).toEqual({
        alive: [],
        folder: false,
        file: false,
      });
      return Promise.resolve();
    },
    { timeoutMs: 10_000 },
  );

describe('the keeper', () => {
  it('given a parent that is killed with -9, when it is gone, then its children, folder and file go too', async () => {
    await start('stubborn');
    expect(children.every(isAlive)).toBe(true);
    parent.kill('SIGKILL');
    await waitUntil(() => (existsSync(file) ? Promise.reject(new Error('there')) : Promise.resolve()), {
      timeoutMs: 2_000,
    });
    await settled();
  });

  it('given a keeper that is killed itself, when the parent dies later, then a new keeper does the same', async () => {
    await start('obedient');
    process.kill(told.keeper, 'SIGKILL');
    await waitUntil(
      async () => {
        const line = nextLine();
        parent.stdin?.write('who?\n');
        expect((await line).keeper).not.toBe(told.keeper);
      },
      { timeoutMs: 5_000 },
    );
    expect(children.every(isAlive)).toBe(true);
    parent.kill('SIGKILL');
    await settled();
  });
});
