import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { runTool } from '../processes/run-tool.ts';
import { unpackDebianPackages, type DebianProgram } from './debian-packages.ts';
import type { LocateContext } from './locate.ts';
import { findOnPath } from './on-path.ts';

const CANDIDATES = [['python3', '-m', 'pip'], ['pip3'], ['pip']] as const;

const WHEELS = 'usr/share/python-wheels';

/** Debian ships pip for its own use as a wheel, and a wheel of pip can be run without installing it. */
const pipOfDebian: DebianProgram = {
  folder: 'pip',
  packages: ['python3-pip-whl'],
  file: WHEELS,
  takes: 'a few seconds',
};

const works = async (context: LocateContext, command: readonly string[]): Promise<boolean> => {
  const [program = '', ...args] = command;
  const result = await runTool(program, [...args, '--version'], { env: context.env, timeoutMs: 30_000 });
  return result.code === 0;
};

/** The command line that runs pip here: an installed one, else Debian's wheel run by python3. */
export const pipCommand = async (context: LocateContext): Promise<string[] | undefined> => {
  for (const command of CANDIDATES) if (await works(context, command)) return [...command];
  const python = await findOnPath(context, 'python3');
  if (python === undefined) return undefined;
  await unpackDebianPackages(context, pipOfDebian);
  const folder = path.join(context.cacheDir, 'debian', `pip-${context.arch}`, WHEELS);
  const wheels = await readdir(folder).catch(() => []);
  const wheel = wheels.find((name) => name.startsWith('pip-'));
  return wheel === undefined ? undefined : [python, path.join(folder, wheel, 'pip')];
};
