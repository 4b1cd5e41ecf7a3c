import jestSequencer from '@jest/test-sequencer';

/** Suites that take longest: begun last, one of them would run on alone while the other workers have nothing to do. */
const longest = [
  'chaos/test/chaos',
  'sdk/test/platform',
  'chat/test/write-protocol',
  'e2e/test/on-this-machine/presence',
  'chaos/test/restore-drill',
  'on-this-machine/bad-set-ups',
  'push/test/notifications',
  'gateway/test/ws/signals',
  'gateway/test/http/fuzz',
  'push/test/crash',
  'chat/test/outages',
  'cli/test/doctor',
];

const rank = ({ path }) => {
  const found = longest.findIndex((name) => path.endsWith(`${name}.test.ts`));
  return found < 0 ? longest.length : found;
};

/** Jest's order, which knows how long suites took here before, but on a fresh clone with the longest first. */
export default class LongestFirst extends jestSequencer {
  sort(tests) {
    const ordered = super.sort(tests);
    const isKnown = ordered.some(({ duration }) => duration !== undefined);
    return isKnown ? ordered : ordered.sort((a, b) => rank(a) - rank(b));
  }
}
