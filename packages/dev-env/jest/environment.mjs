import { ModernFakeTimers } from '@jest/fake-timers';
import { ModuleMocker } from 'jest-mock';

/**
 * The environment of a suite is the worker process itself, and not a vm context: everything that suites import would be
 * loaded and compiled anew in each context, which costs more than most suites do. What a suite changes in the
 * environment variables, the console or the timers is put back after it.
 */
export default class InProcess {
  constructor({ projectConfig }, { console: ofSuite }) {
    // Jest puts things on these; they are not for whom the suites share the process with.
    this.global = Object.assign(Object.create(globalThis), { console: ofSuite, process: Object.create(process) });
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
    this.moduleMocker = new ModuleMocker(globalThis);
  }

  /** There is none; jest asks all the same. */
  getVmContext() {
    return null;
  }

  async setup() {
    this.before = { console: globalThis.console, variables: { ...process.env } };
    globalThis.console = this.global.console;
    useOwnRedis();
    // Node knows the sources of what it loaded; jest knows those of what it loaded itself.
    Error.prepareStackTrace = undefined;
  }

  async teardown() {
    this.fakeTimersModern.dispose();
    if (this.before === undefined) return;
    globalThis.console = this.before.console;
    for (const name of Object.keys(process.env)) if (!(name in this.before.variables)) delete process.env[name];
    Object.assign(process.env, this.before.variables);
  }
}

/**
 * Presence is one set of gateways for all who share a Redis database, each cleaning up after the others: suites that
 * run side by side have one each, or their gateways would take each other for neighbours.
 */
function useOwnRedis() {
  const url = process.env.TEST_REDIS_URL;
  if (!url || new URL(url).pathname.length > 1) return;
  const database = Number(process.env.JEST_WORKER_ID ?? 0) % 16;
  process.env.TEST_REDIS_URL = new URL(`/${database}`, url).href;
}
