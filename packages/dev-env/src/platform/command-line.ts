import { parseArgs } from 'node:util';
import { PlatformError, messageOf } from '../platform-error.ts';

/** What `npm start` was asked for. */
export type CommandLine = { fresh: boolean; port: number; dataDir: string; quiet: boolean; limits: boolean };

export const usage = `npm start [-- options]

  --port 8080     port of the first gateway; the second takes the next one, the phones page port + 9
  --data .data    folder that keeps the data, the logs and platform.json
  --fresh         empties that data first
  --limits off    lifts rate limits (for benchmarks and bulk tests)
  --quiet         shows only the URLs, warnings and errors
  --help          shows this

Engines are found by MONGODB_URL, REDIS_URL, NATS_URL and S3_ENDPOINT, then on PATH, then fetched into a cache folder
(BLUEWAVE_CACHE); BLUEWAVE_S3=embedded takes the built-in S3 server. A file .env is read when there is one.
`;

const HIGHEST_PORT = 65_535 - 9;

const readFlags = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        fresh: { type: 'boolean', default: false },
        port: { type: 'string', default: '8080' },
        data: { type: 'string', default: '.data' },
        limits: { type: 'string', default: 'on' },
        quiet: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    const reason = messageOf(error).split('. ')[0] ?? '';
    throw new PlatformError(`${reason}: see "npm start -- --help".`, { cause: error });
  }
};

/**
 * Reads the flags of `npm start`.
 *
 * @returns what was asked for, or `help`
 * @throws PlatformError for an unknown flag or a value that makes no sense
 */
export const parseCommandLine = (args: readonly string[]): CommandLine | 'help' => {
  const flags = readFlags(args);
  if (flags.help) return 'help';
  const port = Number(flags.port);
  if (!/^\d+$/.test(flags.port) || port < 1 || port > HIGHEST_PORT)
    throw new PlatformError(`--port takes a number from 1 to ${HIGHEST_PORT}, not "${flags.port}".`);
  if (flags.limits !== 'on' && flags.limits !== 'off')
    throw new PlatformError(`--limits takes "on" or "off", not "${flags.limits}".`);
  if (flags.data === '') throw new PlatformError('--data takes the name of a folder.');
  return { fresh: flags.fresh, port, dataDir: flags.data, quiet: flags.quiet, limits: flags.limits === 'on' };
};
