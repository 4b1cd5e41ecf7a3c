import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Keeper } from '../processes/keeper.ts';
import { SupervisedProcess, type ProcessListener, type ProcessSpec } from '../processes/supervised-process.ts';

/** What every process of one platform shares. */
export type ProcessHost = {
  keeper: Keeper;
  listener: ProcessListener;
  /** Folder with the data of all; each engine has one below it. */
  dataDir: string;
  /** Environment that children inherit (PATH, HOME, locale); their own settings are added to it. */
  env: NodeJS.ProcessEnv;
};

/** Where the output of a process goes. */
export const logFileOf = (host: ProcessHost, name: string): string => {
  const folder = path.join(host.dataDir, 'logs');
  mkdirSync(folder, { recursive: true });
  return path.join(folder, `${name}.log`);
};

/** Makes the folder an engine keeps its data in. */
export const engineFolder = (host: ProcessHost, name: string): string => {
  const folder = path.join(host.dataDir, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
};

/** A process of this platform; `spec` without what the host knows. */
export const hosted = (
  host: ProcessHost,
  spec: Omit<ProcessSpec, 'cwd' | 'logFile'> & { cwd?: string },
): SupervisedProcess =>
  new SupervisedProcess(
    { cwd: host.dataDir, ...spec, env: { ...host.env, ...spec.env }, logFile: logFileOf(host, spec.name) },
    host.keeper,
    host.listener,
  );
