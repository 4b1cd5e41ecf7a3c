import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { runTool, type ToolResult } from '../processes/run-tool.ts';
import { fillCache } from './cache-folder.ts';
import { lastLine, withProgress, type LocateContext, type LocateStep } from './locate.ts';
import { findOnPath, inCache } from './on-path.ts';

const TOOL_TIMEOUT_MS = 3 * 60_000;

/** Part of every Debian and Ubuntu; never taken from a package. */
const ALWAYS_THERE = /^(libc6|libgcc-s1|libstdc\+\+6)$/;

/** Programs that Debian packages: `folder` is the name of the unpacked tree in the cache. */
export type DebianProgram = { folder: string; packages: readonly string[]; file: string; takes: string };

type Apt = (command: string, args: readonly string[], cwd: string) => Promise<ToolResult>;

const cachedAt = (context: LocateContext, program: DebianProgram): string =>
  path.join('debian', `${program.folder}-${context.arch}`);

const withLibraries = (step: LocateStep, root: string): LocateStep => {
  const triplets = ['x86_64-linux-gnu', 'aarch64-linux-gnu'];
  const folders = triplets.flatMap((one) => [path.join(root, 'usr/lib', one), path.join(root, 'lib', one)]);
  return async (context) => {
    const found = await step(context);
    return found === undefined ? undefined : { ...found, env: { LD_LIBRARY_PATH: folders.join(':') } };
  };
};

/** Debian packages that an earlier run unpacked. */
export const debianPackagesInCache =
  (program: DebianProgram): LocateStep =>
  (context) => {
    const folder = cachedAt(context, program);
    return withLibraries(inCache(folder, program.file), path.join(context.cacheDir, folder))(context);
  };

/** The libraries that the packages name: they are unpacked next to them, so nothing needs to be installed. */
const librariesOf = async (apt: Apt, packages: readonly string[], cwd: string): Promise<string[]> => {
  const only = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((one) => `--no-${one}`);
  const result = await apt('apt-cache', ['depends', ...only, ...packages], cwd);
  const names = [...result.output.matchAll(/^\s*\|?(?:Pre)?Depends: ([a-z0-9.+-]+)/gm)].map((match) => match[1] ?? '');
  return [...new Set(names)].filter((name) => /^(lib|lua-)/.test(name) && !ALWAYS_THERE.test(name));
};

/**
 * apt as any user can run it. Images often come without package lists and an ordinary user cannot fetch them into the
 * system, so the second try keeps lists of its own below `folder`.
 */
const aptWithOwnLists =
  (context: LocateContext, folder: string): Apt =>
  (command, args, cwd) =>
    runTool(command, ['-o', `Dir::State::lists=${folder}/lists`, '-o', `Dir::Cache=${folder}/cache`, ...args], {
      cwd,
      env: { ...context.env, LC_ALL: 'C' },
      timeoutMs: TOOL_TIMEOUT_MS,
      signal: context.signal,
    });

const aptOfTheSystem =
  (context: LocateContext): Apt =>
  (command, args, cwd) =>
    runTool(command, args, {
      cwd,
      env: { ...context.env, LC_ALL: 'C' },
      timeoutMs: TOOL_TIMEOUT_MS,
      signal: context.signal,
    });

const download = async (apt: Apt, program: DebianProgram, folder: string): Promise<string> => {
  const libraries = await librariesOf(apt, program.packages, folder);
  const result = await apt('apt-get', ['download', ...program.packages, ...libraries], folder);
  return result.code === 0 ? '' : lastLine(result.output);
};

const downloadAnyWay = async (context: LocateContext, program: DebianProgram, folder: string): Promise<string> => {
  if ((await download(aptOfTheSystem(context), program, folder)) === '') return '';
  const own = path.join(folder, 'apt');
  await mkdir(path.join(own, 'lists', 'partial'), { recursive: true });
  await mkdir(path.join(own, 'cache', 'archives', 'partial'), { recursive: true });
  const apt = aptWithOwnLists(context, own);
  context.say('  ... fetching package lists');
  const updated = await apt('apt-get', ['update'], folder);
  const problem = updated.code === 0 ? await download(apt, program, folder) : lastLine(updated.output);
  await rm(own, { recursive: true, force: true });
  return problem;
};

const unpack = async (context: LocateContext, folder: string): Promise<string> => {
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.deb'))) {
    const env = { ...context.env, LC_ALL: 'C' };
    const result = await runTool('dpkg', ['-x', file, '.'], { cwd: folder, env, timeoutMs: TOOL_TIMEOUT_MS });
    if (result.code !== 0) return lastLine(result.output);
    await rm(path.join(folder, file));
  }
  return '';
};

/**
 * Downloads Debian or Ubuntu packages and unpacks them into the cache: no root, nothing installed. apt checks their
 * signatures.
 *
 * @returns whether they are there now; says why when they are not
 */
export const unpackDebianPackages = async (context: LocateContext, program: DebianProgram): Promise<boolean> => {
  const tools = [await findOnPath(context, 'apt-get'), await findOnPath(context, 'dpkg')];
  if (context.platform !== 'linux' || tools.includes(undefined)) return false;
  let problem = '';
  const what = `Unpacking ${program.packages.join(' and ')} of this system (once, ${program.takes})`;
  await withProgress(context, what, () =>
    fillCache(context.cacheDir, cachedAt(context, program), async (folder) => {
      problem = (await downloadAnyWay(context, program, folder)) || (await unpack(context, folder));
      return problem === '';
    }),
  );
  if (problem !== '') context.say(`apt could not give ${program.packages.join(' and ')} (${problem}).`);
  return problem === '';
};

/** Takes a program from Debian packages, unpacked into the cache. */
export const debianPackages =
  (program: DebianProgram): LocateStep =>
  async (context) => {
    if (!(await unpackDebianPackages(context, program))) return undefined;
    const found = await debianPackagesInCache(program)(context);
    return found === undefined ? undefined : { ...found, source: 'packages' };
  };
