import jestSequencer from '@jest/test-sequencer';

/**
 * Suites that take longest: begun last, one of them would run on alone while the other workers have nothing to do. Those
 * that mostly wait stand between those that compute, so that not all workers wait at once.
 */
const longest = [
  'sdk/test/platform',
  'on-this-machine/presence',
  'chat/test/write-protocol',
  'gateway/test/authorization/authorization',
  'push/test/notifications',
  'gateway/test/http/fuzz',
  'on-this-machine/bad-set-ups',
  'chaos/test/restore-drill',
  'gateway/test/ws/signals',
  'push/test/crash',
  'e2e/test/messaging',
  'chat/test/outages',
  'chat/test/crashes',
  'on-this-machine/python-client',
  'push/test/logout',
  'cli/test/doctor',
  'chat/test/retention-crashes',
  'gateway/test/http/degraded',
  'media/test/crashes',
  'chat/test/unread-property',
  'gateway/test/ws/drain',
  'chat/test/reading',
  'on-this-machine/platform',
  'mongo/test/relaxed-reads',
  'chat/test/search-property',
  'media/test/service',
  'gateway/test/ws/outages',
  'media/test/refusals',
  'dev-env/test/engines',
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
