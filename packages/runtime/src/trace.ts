import { AsyncLocalStorage } from 'node:async_hooks';

const traces = new AsyncLocalStorage<string>();

/** Runs `work` so that everything below it, however deep, can tell for the log on whose behalf it is done. */
export const inTrace = <T>(traceId: string, work: () => T): T => traces.run(traceId, work);

/** The trace id of the request that is served, for logs alone; undefined outside of one, or in work done for many. */
export const currentTraceId = (): string | undefined => traces.getStore();
