import { PlatformError } from '../platform-error.ts';

/** Where the program of an engine came from. */
export type BinarySource = 'path' | 'cache' | 'go' | 'packages' | 'wheel' | 'download' | 'embedded';

/** A program that can be started. `env` is added to the environment of its process. */
export type EngineBinary = {
  command: string;
  args: readonly string[];
  env: Record<string, string>;
  source: BinarySource;
};

/** Everything that looking for an engine depends on. */
export type LocateContext = {
  /** The environment of the tools that are run; its PATH is searched. */
  env: NodeJS.ProcessEnv;
  /** Folder that keeps what was downloaded or built, shared by all checkouts of a user. */
  cacheDir: string;
  platform: NodeJS.Platform;
  arch: string;
  /** Shows a person one line of progress. */
  say: (text: string) => void;
  signal?: AbortSignal;
};

/** One way to get a program: undefined when this way is not open here. Says by itself why an open way failed. */
export type LocateStep = (context: LocateContext) => Promise<EngineBinary | undefined>;

/**
 * Tries the ways in order and takes the first that works.
 *
 * @param advice the one sentence that says what to install when none works
 */
export const firstFound = async (
  context: LocateContext,
  steps: readonly LocateStep[],
  advice: string,
): Promise<EngineBinary> => {
  for (const step of steps) {
    context.signal?.throwIfAborted();
    const found = await step(context);
    if (found !== undefined) return found;
  }
  throw new PlatformError(advice);
};

/** Says what a long step does, and every 15 seconds that it still does. */
export const withProgress = async <T>(context: LocateContext, what: string, work: () => Promise<T>): Promise<T> => {
  context.say(what);
  const short = `${what.charAt(0).toLowerCase()}${what.slice(1)}`.replace(/ \(.*/, '');
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    context.say(`  still ${short} (${seconds} s)`);
  }, 15_000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
};

/** The last line of a tool's output that says something: what a person needs to know about its failure. */
export const lastLine = (output: string): string => output.trim().split('\n').at(-1)?.trim() ?? '';
