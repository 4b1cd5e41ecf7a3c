import jestSequencer from '@jest/test-sequencer';

/**
 * Suites that take longest: begun last, one of them would run on alone while the other workers have nothing to do.
 */
const longest = [
  'on-this-machine/presence',
  'push/test/notifications',
  'gateway/test/ws/signals',
  'push/test/crash',
  'sdk/test/platform',
  'chat/test/write-protocol',
  'chaos/test/restore-drill',
  'on-this-machine/bad-set-ups',
  'gateway/test/authorization/authorization',
  'gateway/test/http/fuzz',
  'chat/test/outages',
  'cli/test/doctor',
];

const rank = ({ path }) => {
  const found = longest.findIndex((name) => path.endsWith(`${name}.test.ts`));
  return found < 0 ? longest.length : found;
};

/** The longest suites first, then jest's own order. */
export default class LongestFirst extends jestSequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
}
