import { isDetail, isProblem, parseLogLine, renderLogLine, type LogLevel } from './log-line.ts';

/** Where a platform shows what happens. */
export type PlatformOutput = {
  /** A line that a service wrote. */
  line(service: string, text: string, stream: 'stdout' | 'stderr'): void;
  /** Something the platform itself has to say. */
  event(level: LogLevel, message: string): void;
  /** Progress of starting and stopping: plain text, not shown when quiet. */
  say(text: string): void;
  /** Shown always: the block of URLs and logins. */
  block(text: string): void;
};

/** Shows nothing: for tests. Everything is in the log files all the same. */
export const silentOutput: PlatformOutput = {
  line: () => undefined,
  event: () => undefined,
  say: () => undefined,
  block: () => undefined,
};

/** Shows readable lines from info on; with `quiet` only the block, warnings and errors. */
export const streamOutput = (
  write: (text: string) => void,
  options: { quiet: boolean; colour: boolean; now: () => Date },
): PlatformOutput => {
  const { quiet, colour, now } = options;
  return {
    line: (service, text, stream) => {
      const line = parseLogLine(text, service, stream, now());
      if (quiet ? isProblem(line) : !isDetail(line)) write(`${renderLogLine(line, colour)}\n`);
    },
    event: (level, message) => {
      const line = { at: now(), level, service: 'platform', message, fields: {} };
      if (!quiet || isProblem(line)) write(`${renderLogLine(line, colour)}\n`);
    },
    say: (text) => {
      if (!quiet) write(`${text}\n`);
    },
    block: (text) => write(text),
  };
};
