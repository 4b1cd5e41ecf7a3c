import { access, constants, mkdir, rename } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { runTool } from '../processes/run-tool.ts';
import { fillCache } from './cache-folder.ts';
import { lastLine, withProgress, type LocateContext, type LocateStep } from './locate.ts';
import { findOnPath, inCache } from './on-path.ts';

const BUILD_TIMEOUT_MS = 8 * 60_000;

/** A program written in Go, at a pinned version (the Go checksum database vouches for its source). */
export type GoProgram = { name: string; module: string; version: string; takes: string };

const cachedAt = (program: GoProgram): string => path.join('go', `${program.name}-${program.version}`);

/** A Go build that an earlier run left in the cache. */
export const goBuildInCache = (program: GoProgram): LocateStep => inCache(cachedAt(program), program.name);

/** The folders Go works in: the user's own, or some below `work` for a user without a home. */
const goFolders = async (work: string): Promise<Record<string, string>> => {
  try {
    await access(os.homedir(), constants.W_OK);
    return {};
  } catch {
    return {
      HOME: work,
      GOPATH: path.join(work, 'gopath'),
      GOCACHE: path.join(work, 'gocache'),
      GOFLAGS: '-modcacherw',
    };
  }
};

const build = async (context: LocateContext, go: string, program: GoProgram, target: string): Promise<string> => {
  const work = path.join(target, 'work');
  await mkdir(work);
  const env = { ...context.env, ...(await goFolders(work)), GOBIN: work, CGO_ENABLED: '0' };
  const result = await runTool(go, ['install', `${program.module}@${program.version}`], {
    cwd: work,
    env,
    timeoutMs: BUILD_TIMEOUT_MS,
    signal: context.signal,
  });
  if (result.code !== 0) return lastLine(result.output) || 'it took too long';
  await rename(path.join(work, program.name), path.join(target, program.name));
  return '';
};

/** Builds a program once with Go, where Go is installed, into the cache. */
export const goInstall =
  (program: GoProgram): LocateStep =>
  async (context) => {
    const go = await findOnPath(context, 'go');
    if (go === undefined) return undefined;
    let problem = '';
    const what = `Building ${program.name} ${program.version} with Go (once, ${program.takes})`;
    await withProgress(context, what, () =>
      fillCache(context.cacheDir, cachedAt(program), async (folder) => {
        problem = await build(context, go, program, folder);
        return problem === '';
      }),
    );
    if (problem !== '') {
      context.say(`Go could not build ${program.name} (${problem}): trying the next way.`);
      return undefined;
    }
    const built = await goBuildInCache(program)(context);
    return built === undefined ? undefined : { ...built, source: 'go' };
  };
