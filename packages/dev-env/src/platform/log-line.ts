/** A line of a service's log, as far as showing it needs. */
export type LogLine = { at: Date; level: LogLevel; service: string; message: string; fields: Record<string, unknown> };

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const SHOWN_ELSEWHERE = new Set(['level', 'time', 'msg', 'message', 'service', 'name', 'pid', 'hostname', 'v']);
const LONGEST_VALUE = 500;

const RED = '31';
const YELLOW = '33';
const COLOURS: Record<LogLevel, string> = {
  trace: '90',
  debug: '90',
  info: '32',
  warn: YELLOW,
  error: RED,
  fatal: RED,
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const levelOf = (value: unknown): LogLevel => {
  if (typeof value === 'number') return LEVELS[Math.min(5, Math.max(0, Math.floor(value / 10) - 1))] ?? 'info';
  return LEVELS.find((level) => level === value) ?? 'info';
};

const parsed = (text: string): Record<string, unknown> | undefined => {
  if (!text.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/**
 * Reads a line that a service wrote. Pino's JSON lines are taken apart; anything else (a warning of Node, a crash) is
 * its own message, as a warning when it came on stderr.
 *
 * @param service the process it came from, shown instead of the name in the line: there are two gateways
 */
export const parseLogLine = (text: string, service: string, stream: 'stdout' | 'stderr', now: Date): LogLine => {
  const line = parsed(text);
  if (line === undefined)
    return { at: now, level: stream === 'stderr' ? 'warn' : 'info', service, message: text, fields: {} };
  const time = line['time'];
  const at = typeof time === 'string' || typeof time === 'number' ? new Date(time) : now;
  const message = line['message'] ?? line['msg'];
  return {
    at: Number.isNaN(at.getTime()) ? now : at,
    level: levelOf(line['level']),
    service,
    message: typeof message === 'string' ? message : '',
    fields: Object.fromEntries(Object.entries(line).filter(([key]) => !SHOWN_ELSEWHERE.has(key))),
  };
};

/** Errors show as their messages, one cause after another: the stacks are in the log files. */
const errorText = (error: Record<string, unknown>): string => {
  const cause = isRecord(error['cause']) ? ` <- ${errorText(error['cause'])}` : '';
  return `${textOf(error['type'], 'Error')}: ${textOf(error['message'], '')}${cause}`;
};

const textOf = (value: unknown, fallback: string): string => (typeof value === 'string' ? value : fallback);

const valueText = (value: unknown): string => {
  if (isRecord(value) && 'stack' in value) return JSON.stringify(errorText(value));
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  const short = text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}...` : text;
  return typeof value === 'string' && /[\s"=]|^$/.test(short) ? JSON.stringify(short) : short;
};

/** A line's message with the error it carries, in one sentence. */
export const describeProblem = (line: LogLine): string => {
  const err = line.fields['err'];
  return isRecord(err) ? `${line.message}: ${errorText(err)}` : line.message;
};

const two = (value: number): string => String(value).padStart(2, '0');

const clock = (at: Date): string =>
  `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;

// Control characters could move the cursor of the terminal that shows the line.
const printable = (text: string): string => text.replace(/\p{Cc}/gu, ' ');

/** `HH:MM:SS.mmm level service message key=value`, in local time, coloured for a terminal. */
export const renderLogLine = (line: LogLine, colour: boolean): string => {
  const paint = (code: string, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const fields = Object.entries(line.fields).map(
    ([key, value]) => `${paint('90', `${key}=`)}${printable(valueText(value))}`,
  );
  return [
    paint('90', clock(line.at)),
    paint(COLOURS[line.level], line.level.padEnd(5)),
    paint('36', line.service.padEnd(9)),
    printable(line.message),
    ...fields,
  ].join(' ');
};

/** Whether a line shows when only warnings and errors are asked for. */
export const isProblem = (line: LogLine): boolean => LEVELS.indexOf(line.level) >= LEVELS.indexOf('warn');

/** What is only of interest in the log files. */
export const isDetail = (line: LogLine): boolean => LEVELS.indexOf(line.level) < LEVELS.indexOf('info');
