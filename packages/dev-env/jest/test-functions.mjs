// What tests import from '@jest/globals'. Modules stay loaded from one suite to the next and jest makes its functions
// anew for each, so these bindings change: whoever imported one calls that of the suite that runs.
export let describe, it, test, expect, jest, beforeAll, beforeEach, afterEach, afterAll;

/** From now on tests belong to the suite that these functions were made for. */
export function useFunctions(made) {
  ({ describe, it, test, expect, jest, beforeAll, beforeEach, afterEach, afterAll } = made);
}
