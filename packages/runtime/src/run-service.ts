import { ConfigError, errorHookOf, NotYetError, startPatienceMs } from './config.ts';
import { sleep } from './deadline.ts';
import { ErrorHook } from './error-hook.ts';
import { createLogger, type Logger } from './logger.ts';

/** A started service: `close` drains and lets everything go, idempotently. */
export type RunningService = { close(): Promise<void> };

const shutdownLimitMs = 29_000;
const tryAgainMs = 1_000;
/** What an error hook gets for its last reports: a process that dies must not be held by it. */
const lastReportsMs = 2_000;

/**
 * The process around a service: start it, stop it on SIGTERM or SIGINT, exit 0 when it closed within 29 s.
 * A start that fails says why in one line and exits 1; one that only lacks what may still come waits for it first, so
 * that a database that is back is used at once and not after a back-off of minutes. What nobody caught is logged once and ends the process.
 * With ERROR_HOOK all that is logged as a fault is handed to that module too.
 */
export async function runService<C extends { logLevel: string }>(
  name: string,
  readConfig: (environment: NodeJS.ProcessEnv) => C,
  start: (config: C, log: Logger) => Promise<RunningService>,
): Promise<void> {
  let log = createLogger(name, 'info');
  let hook: ErrorHook | undefined;
  let running: RunningService | undefined;
  let stopping = false;

  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => {
      die(undefined, 'did not stop in time');
    }, shutdownLimitMs).unref();
    await running?.close();
    log.info('stopped');
    await leave(0);
  };
  const leave = async (code: number): Promise<never> => {
    await hook?.close(lastReportsMs);
    process.exit(code);
  };
  const die = (error: unknown, message: string): void => {
    log.fatal({ err: error }, message);
    if (hook) void leave(1);
    else process.exit(1);
  };
  process.once('SIGTERM', () => void stop('SIGTERM').catch((error: unknown) => die(error, 'stopping failed')));
  process.once('SIGINT', () => void stop('SIGINT').catch((error: unknown) => die(error, 'stopping failed')));
  process.on('uncaughtException', (error) => die(error, 'uncaught exception'));
  process.on('unhandledRejection', (error) => die(error, 'unhandled rejection'));

  try {
    const config = readConfig(process.env);
    log = createLogger(name, config.logLevel);
    const path = errorHookOf(process.env);
    if (path !== undefined) {
      hook = await ErrorHook.load({ path, log });
      log = createLogger(name, config.logLevel, undefined, hook);
    }
    const started = await startPatiently(() => start(config, log), startPatienceMs(process.env), log);
    if (stopping) await started.close();
    else running = started;
  } catch (error) {
    if (error instanceof ConfigError) log.fatal(error.message);
    else log.fatal({ err: error }, 'start failed');
    await leave(1);
  }
}

/** Tries again for as long as only something is missing that may come, and says once what. */
async function startPatiently<T>(start: () => Promise<T>, patienceMs: number, log: Logger): Promise<T> {
  const until = performance.now() + patienceMs;
  let told = '';
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof NotYetError) || performance.now() >= until) throw error;
      if (error.message !== told) log.warn(`${error.message} Waiting up to ${patienceMs / 1_000} s for it.`);
      told = error.message;
      await sleep(tryAgainMs);
    }
  }
}
