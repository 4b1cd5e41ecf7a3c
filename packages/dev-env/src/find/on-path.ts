import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import type { EngineBinary, LocateContext, LocateStep } from './locate.ts';

const isProgram = async (file: string): Promise<boolean> => {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
};

/** The first program called `name` in the folders of PATH, as an absolute path. */
export const findOnPath = async (context: LocateContext, name: string): Promise<string | undefined> => {
  for (const folder of (context.env['PATH'] ?? '').split(path.delimiter)) {
    if (folder === '') continue;
    const file = path.resolve(folder, name);
    if (await isProgram(file)) return file;
  }
  return undefined;
};

/** Looks for an installed engine. */
export const onPath =
  (name: string): LocateStep =>
  async (context) => {
    const command = await findOnPath(context, name);
    return command === undefined ? undefined : { command, args: [], env: {}, source: 'path' };
  };

/** Looks for a file that an earlier run left in the cache. */
export const inCache =
  (...relativePath: string[]): LocateStep =>
  async (context): Promise<EngineBinary | undefined> => {
    const command = path.join(context.cacheDir, ...relativePath);
    return (await isProgram(command)) ? { command, args: [], env: {}, source: 'cache' } : undefined;
  };
