import base from '../jest.config.mjs';

/** The end-to-end tests that need nothing but the URLs in E2E_GATEWAYS: no engines of this machine, no platform. */
const { globalSetup: _, globalTeardown: __, ...shared } = base;
export default {
  ...shared,
  rootDir: '..',
  testMatch: ['<rootDir>/e2e/test/*.test.ts'],
  // One file after the other: what is measured is the installation, not this machine.
  maxWorkers: 1,
};
