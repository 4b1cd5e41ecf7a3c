import { accessSync, constants, mkdirSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { systemCode } from '../platform-error.ts';

const usual = (env: NodeJS.ProcessEnv): string => {
  if (env['XDG_CACHE_HOME']) return path.join(env['XDG_CACHE_HOME'], 'bluewave');
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library', 'Caches', 'bluewave');
  return path.join(os.homedir(), '.cache', 'bluewave');
};

const isUsable = (folder: string): boolean => {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
};

/**
 * The folder that keeps downloaded engines: `BLUEWAVE_CACHE`, else the cache folder of the user, else (a user without a
 * home) one below `fallback`.
 */
export const cacheFolder = (env: NodeJS.ProcessEnv, fallback: string): string => {
  const asked = env['BLUEWAVE_CACHE'];
  if (asked) {
    mkdirSync(asked, { recursive: true });
    return path.resolve(asked);
  }
  return (
    [usual(env), path.join(fallback, '.cache', 'bluewave')].find(isUsable) ?? path.join(os.tmpdir(), 'bluewave-cache')
  );
};

/**
 * Fills a folder of the cache so that nobody ever sees half of it: `fill` works in a folder next to it that is renamed
 * when it is done. Two processes may do the same at once; the second one's work is dropped.
 */
export const fillCache = async (
  cacheDir: string,
  name: string,
  fill: (folder: string) => Promise<boolean>,
): Promise<boolean> => {
  const target = path.join(cacheDir, name);
  await mkdir(path.dirname(target), { recursive: true });
  const work = await mkdtemp(path.join(cacheDir, 'filling-'));
  try {
    if (!(await fill(work))) return false;
    await rename(work, target).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOTEMPTY' && systemCode(error) !== 'EEXIST') throw error;
    });
    return true;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
};
