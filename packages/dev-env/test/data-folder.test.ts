import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataFolder, newTokenKey } from '../src/platform/data-folder.ts';
import { identify, isAlive } from '../src/processes/process-identity.ts';

let root: string;
let said: string[];
let children: ChildProcess[];
const say = (text: string): void => void said.push(text);

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'bluewave-data-'));
  said = [];
  children = [];
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(root, { recursive: true, force: true });
});

const sleeper = (): ChildProcess => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  children.push(child);
  return child;
};

const hold = (supervisor: object, left: object[]): Promise<void> =>
  writeFile(path.join(root, 'supervisor.json'), JSON.stringify({ supervisor, keeper: null, children: left }));

describe('a data folder', () => {
  it('given one that is in use, when another platform wants it, then it is refused with one sentence', async () => {
    const folder = await DataFolder.take(path.join(root, 'new', 'data'), say);
    await expect(DataFolder.take(folder.path, say)).rejects.toThrow(
      `Another platform (process ${process.pid}) uses ${folder.path}: stop it, or choose another folder with --data.`,
    );
    folder.release();
    (await DataFolder.take(folder.path, say)).release();
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('given a holder that died, when the folder is taken, then what it left running is ended first', async () => {
    const child = sleeper();
    const left = identify(child.pid ?? 0);
    await hold({ pid: 2 ** 22 + 1, startTime: '1' }, [left]);
    const folder = await DataFolder.take(root, say);
    expect(isAlive(left)).toBe(false);
    expect(said).toEqual(['Ending 1 processes that an earlier run left behind']);
    folder.release();
  });

  it('given a pid that belongs to another process by now, when the folder is taken, then that one lives on', async () => {
    const child = sleeper();
    await once(child, 'spawn');
    const stranger = identify(child.pid ?? 0);
    await hold({ pid: process.pid, startTime: 'long ago' }, [{ pid: stranger.pid, startTime: 'long ago' }]);
    const folder = await DataFolder.take(root, say);
    expect(isAlive(stranger)).toBe(true);
    expect(said).toEqual([]);
    folder.release();
  });

  it('given a broken supervisor.json, when the folder is taken, then it is replaced', async () => {
    await writeFile(path.join(root, 'supervisor.json'), '{"half');
    const folder = await DataFolder.take(root, say);
    folder.note(null, [process.pid]);
    const noted = JSON.parse(await readFile(path.join(root, 'supervisor.json'), 'utf8')) as unknown;
    expect(noted).toEqual({ supervisor: identify(process.pid), keeper: null, children: [identify(process.pid)] });
    folder.release();
  });

  it('given a file in its place, when it is taken, then one sentence says so', async () => {
    const file = path.join(root, 'file');
    await writeFile(file, '');
    await expect(DataFolder.take(file, say)).rejects.toThrow(/^There is a file where a folder is needed/);
  });

  it('given data and files of others, when it is emptied, then only the data goes', async () => {
    const folder = await DataFolder.take(root, say);
    await mkdir(path.join(root, 'mongod'));
    await writeFile(path.join(root, 'mongod', 'x'), 'x');
    await writeFile(path.join(root, 'notes.txt'), 'mine');
    folder.kept('seeded', () => 'yes');
    folder.empty();
    expect((await readdir(root)).sort()).toEqual(['notes.txt', 'supervisor.json']);
    folder.release();
  });

  it('given a secret that is kept, when it is asked for again, then it is the same and only its owner can read it', async () => {
    const folder = await DataFolder.take(root, say);
    const file = folder.kept('token-keys.pem', newTokenKey);
    const first = await readFile(file, 'utf8');
    expect(first).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(folder.kept('token-keys.pem', newTokenKey)).toBe(file);
    expect(await readFile(file, 'utf8')).toBe(first);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    folder.release();
    expect(existsSync(path.join(root, 'supervisor.json'))).toBe(false);
  });
});
