import { createRequire, register } from 'node:module';
import { pathToFileURL } from 'node:url';
import circus from 'jest-circus/runner';
import { useFunctions } from './test-functions.mjs';

register('./typescript-hooks.mjs', import.meta.url);
process.setSourceMapsEnabled(true);

const require = createRequire(import.meta.url);
const asyncHooks = require('node:async_hooks');
/** Where jest-circus keeps who listens to a suite's events. */
const listeners = Symbol.for('EVENT_HANDLERS');

/**
 * Runs a suite by jest-circus as jest does, except that Node loads the modules, once for all suites of a worker.
 * Parameters and result are those of any `testRunner` of jest.
 */
export default async function run(globalConfig, config, environment, runtime, testPath, tell) {
  if (globalConfig.watch || globalConfig.watchAll)
    throw new Error('Modules stay loaded, so a suite would not see what was changed: run it again instead of --watch.');
  const storages = [];
  const loading = {
    /** Jest-circus keeps the state of a suite in its modules: each suite has new ones. */
    requireInternalModule(file) {
      delete require.cache[file];
      delete globalThis[listeners];
      return collectingStorages(storages, () => require(file));
    },
    requireModule: require,
    setGlobalsForRuntime: (made) => useFunctions({ ...made, jest: environment.fakeTimersModern }),
    unstable_shouldLoadAsEsm: () => true,
    unstable_importModule: (file) => import(pathToFileURL(file).href),
    enterTestCode: () => runtime.enterTestCode(),
    leaveTestCode: () => runtime.leaveTestCode(),
  };
  try {
    return await circus.default(globalConfig, config, environment, loading, testPath, tell);
  } finally {
    for (const storage of storages) storage.disable();
  }
}

/**
 * Jest-circus makes an AsyncLocalStorage for each suite, and Node hands the content of each that was ever used on to
 * every promise: those of earlier suites would cost each later one more.
 *
 * @param storages takes those that `load` makes. @returns what `load` returns
 */
function collectingStorages(storages, load) {
  const { AsyncLocalStorage } = asyncHooks;
  asyncHooks.AsyncLocalStorage = class extends AsyncLocalStorage {
    constructor(...options) {
      super(...options);
      storages.push(this);
    }
  };
  try {
    return load();
  } finally {
    asyncHooks.AsyncLocalStorage = AsyncLocalStorage;
  }
}
