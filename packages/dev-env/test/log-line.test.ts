import { describe, expect, it } from '@jest/globals';
import { parseLogLine, renderLogLine } from '../src/platform/log-line.ts';
import { streamOutput } from '../src/platform/platform-output.ts';

const NOW = new Date(2026, 0, 2, 3, 4, 5, 6);

const shown = (text: string, stream: 'stdout' | 'stderr' = 'stdout'): string =>
  renderLogLine(parseLogLine(text, 'gateway-1', stream, NOW), false);

const line = (fields: object): string =>
  JSON.stringify({ level: 'info', time: NOW.toISOString(), service: 'gateway', ...fields });

describe('a line of a log', () => {
  it('given a line of pino, when it is shown, then time, level, process, message and fields stand in order', () => {
    const text = line({
      message: 'listening',
      port: 8080,
      path: '/a b',
      ok: true,
      list: [1, 2],
      pid: 7,
      hostname: 'x',
    });
    expect(shown(text)).toBe('03:04:05.006 info  gateway-1 listening port=8080 path="/a b" ok=true list=[1,2]');
  });

  it('given numeric levels and times, when it is shown, then they are understood', () => {
    const text = JSON.stringify({ level: 50, time: NOW.getTime(), msg: 'broken' });
    expect(shown(text)).toBe('03:04:05.006 error gateway-1 broken');
  });

  it('given an error with a cause, when it is shown, then both messages stand in one line and no stack', () => {
    const err = {
      type: 'Error',
      message: 'no',
      stack: 'Error: no\n at x',
      cause: { type: 'MongoError', message: 'gone', stack: 's' },
    };
    expect(shown(line({ level: 'error', message: 'failed', err }))).toBe(
      '03:04:05.006 error gateway-1 failed err="Error: no <- MongoError: gone"',
    );
  });

  it('given other text, when it is shown, then it is the message, a warning when it came on stderr', () => {
    expect(shown('plain')).toBe('03:04:05.006 info  gateway-1 plain');
    expect(shown('{"half', 'stderr')).toBe('03:04:05.006 warn  gateway-1 {"half');
    expect(shown('[1]')).toBe('03:04:05.006 info  gateway-1 [1]');
  });

  it('given control characters, when it is shown, then they cannot reach the terminal', () => {
    const escape = '\u001b[2J';
    expect(shown(line({ message: `a${escape}`, key: `b${escape}` }))).toBe(
      '03:04:05.006 info  gateway-1 a [2J key=b [2J',
    );
    expect(shown(`raw${escape}`)).toBe('03:04:05.006 info  gateway-1 raw [2J');
  });

  it('given a terminal, when it is shown, then level and names are coloured', () => {
    const text = renderLogLine(parseLogLine(line({ level: 'warn', message: 'm' }), 'chat', 'stdout', NOW), true);
    expect(text).toContain('\u001b[33mwarn \u001b[0m');
  });
});

describe('the output of a platform', () => {
  const written = (quiet: boolean): string[] => {
    const lines: string[] = [];
    const output = streamOutput((text) => lines.push(text), { quiet, colour: false, now: () => NOW });
    output.line('chat', line({ message: 'fine' }), 'stdout');
    output.line('chat', line({ level: 'error', message: 'bad' }), 'stdout');
    output.event('warn', 'chat killed by SIGKILL: restarting it');
    output.say('Stopping');
    output.block('URLs\n');
    return lines;
  };

  it('given --quiet, when things happen, then only the block, warnings and errors show', () => {
    expect(written(true)).toEqual([
      '03:04:05.006 error chat      bad\n',
      '03:04:05.006 warn  platform  chat killed by SIGKILL: restarting it\n',
      'URLs\n',
    ]);
  });

  it('given no flag, when things happen, then all of it shows', () => {
    expect(written(false)).toHaveLength(5);
  });
});
