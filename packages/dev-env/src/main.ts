import { explain, PlatformError } from './platform-error.ts';
import { startPlatform } from './platform.ts';
import { parseCommandLine, usage } from './platform/command-line.ts';
import { streamOutput, type PlatformOutput } from './platform/platform-output.ts';

const STOPPED = new PlatformError('stopped');

const terminal = (quiet: boolean): PlatformOutput => {
  const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  // Whoever read the output is gone (`npm start | head`): the platform itself goes on.
  process.stdout.on('error', () => undefined);
  return streamOutput((text) => void process.stdout.write(text), { quiet, colour, now: () => new Date() });
};

/** Resolves at the first of the signals that end a program; later ones change nothing, the stop is bounded. */
const stopSignal = (): { asked: Promise<void>; signal: AbortSignal } => {
  const controller = new AbortController();
  const asked = new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(name, () => {
        controller.abort(STOPPED);
        resolve();
      });
  });
  return { asked, signal: controller.signal };
};

const run = async (args: readonly string[]): Promise<number> => {
  const asked = parseCommandLine(args);
  if (asked === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  const stop = stopSignal();
  const output = terminal(asked.quiet);
  const platform = await startPlatform({ ...asked, output, signal: stop.signal });
  await stop.asked;
  output.say('Stopping');
  await platform.stop();
  output.say('Stopped');
  return 0;
};

/**
 * `npm start`, once everything is installed and built: runs the platform until it is told to end.
 *
 * @param args what stands behind `npm start --`
 * @returns the exit code; what a person can cure was said in one sentence on stderr
 */
export const main = async (args: readonly string[]): Promise<number> => {
  try {
    return await run(args);
  } catch (error) {
    if (error === STOPPED) return 0;
    const told = explain(error, 'starting the platform');
    process.stderr.write(`${told instanceof PlatformError ? told.message : (told.stack ?? told.message)}\n`);
    return 1;
  }
};
