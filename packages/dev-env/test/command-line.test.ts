import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '../src/platform-error.ts';
import { parseCommandLine } from '../src/platform/command-line.ts';

const refusal = (...args: string[]): string => {
  try {
    return JSON.stringify(parseCommandLine(args));
  } catch (error) {
    expect(error).toBeInstanceOf(PlatformError);
    return error instanceof Error ? error.message : String(error);
  }
};

describe('the command line of npm start', () => {
  it('given nothing, when it is read, then the defaults hold', () => {
    expect(parseCommandLine([])).toEqual({ fresh: false, port: 8080, dataDir: '.data', quiet: false, limits: true });
  });

  it('given every flag, when it is read, then each is taken', () => {
    expect(parseCommandLine(['--fresh', '--port', '18080', '--data', '/tmp/x', '--quiet', '--limits', 'off'])).toEqual({
      fresh: true,
      port: 18_080,
      dataDir: '/tmp/x',
      quiet: true,
      limits: false,
    });
    expect(parseCommandLine(['--port=1', '--help'])).toBe('help');
  });

  it.each([
    [['--port', '0'], '--port takes a number from 1 to 65526, not "0".'],
    [['--port', '80a'], '--port takes a number from 1 to 65526, not "80a".'],
    [['--port', '65530'], '--port takes a number from 1 to 65526, not "65530".'],
    [['--limits', 'none'], '--limits takes "on" or "off", not "none".'],
    [['--data', ''], '--data takes the name of a folder.'],
    [['--prot', '1'], `Unknown option '--prot': see "npm start -- --help".`],
    [['extra'], `Unexpected argument 'extra': see "npm start -- --help".`],
  ])('given %j, when it is read, then one sentence says what is wrong', (args, sentence) => {
    expect(refusal(...args)).toBe(sentence);
  });
});
