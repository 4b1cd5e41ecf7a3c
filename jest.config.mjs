/** A machine without Python says so by itself: BLUEWAVE_TEST_PYTHON=off. `npm test` then names what it leaves out. */
export const leftOut = process.env.BLUEWAVE_TEST_PYTHON === 'off' ? ['/python-client\\.test\\.ts$'] : [];

/** It asks how soon a killed platform serves again: it has the machine to itself. */
export const alone = '/chaos/test/chaos\\.test\\.ts$';

/** One configuration for every package: ESM, TypeScript by swc, workspace packages from their sources. */
export default {
  testMatch: ['<rootDir>/{packages,services}/*/test/**/*.test.ts', '<rootDir>/{e2e,chaos,bench,sdk}/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  testPathIgnorePatterns: ['/node_modules/', ...leftOut],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['bluewave-src', 'node', 'node-addons'] },
  modulePathIgnorePatterns: ['/dist/', '/.data/', '/.cache/'],
  globalSetup: '<rootDir>/packages/dev-env/jest-global-setup.mjs',
  setupFiles: ['<rootDir>/packages/dev-env/jest-setup.mjs'],
  globalTeardown: '<rootDir>/packages/dev-env/jest-global-teardown.mjs',
  testSequencer: '<rootDir>/packages/dev-env/jest-sequencer.mjs',
  // Most tests wait for engines, not for a core; more would make those that measure time lie.
  maxWorkers: 3,
  // Modules of earlier suites stay in memory; tidying them up over and over costs more than a new process.
  workerIdleMemoryLimit: '500MB',
  // A test that hangs must end; how fast a machine is must not decide whether one passes.
  testTimeout: 60_000,
};
