/** A machine without Python says so by itself: BLUEWAVE_TEST_PYTHON=off. `npm test` then names what it leaves out. */
export const leftOut = process.env.BLUEWAVE_TEST_PYTHON === 'off' ? ['/python-client\\.test\\.ts$'] : [];

/** It asks how soon a killed platform serves again: it has the machine to itself. */
export const alone = '/chaos/test/chaos\\.test\\.ts$';

/** One configuration for every package. Node loads what is tested, as `test-runner.mjs` says: jest transforms nothing. */
export default {
  testMatch: ['<rootDir>/{packages,services}/*/test/**/*.test.ts', '<rootDir>/{e2e,chaos,bench,sdk}/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', ...leftOut],
  testEnvironment: '<rootDir>/packages/dev-env/jest/environment.mjs',
  testRunner: '<rootDir>/packages/dev-env/jest/test-runner.mjs',
  transform: {},
  modulePathIgnorePatterns: ['/dist/', '/.data/', '/.cache/'],
  globalSetup: '<rootDir>/packages/dev-env/jest-global-setup.mjs',
  globalTeardown: '<rootDir>/packages/dev-env/jest-global-teardown.mjs',
  testSequencer: '<rootDir>/packages/dev-env/jest-sequencer.mjs',
  // Most tests wait for engines, not for a core; more would make those that measure time lie.
  maxWorkers: 3,
  // What earlier suites left in memory stays; a new process loads everything anew.
  workerIdleMemoryLimit: '1GB',
  // A test that hangs must end; how fast a machine is must not decide whether one passes.
  testTimeout: 60_000,
};
