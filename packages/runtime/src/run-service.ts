import { ConfigError, NotYetError, startPatienceMs } from './config.ts';
import { sleep } from './deadline.ts';
import { createLogger, type Logger } from './logger.ts';

/** A started service: `close` drains and lets everything go, idempotently. */
export type RunningService = { close(): Promise<void> };

const shutdownLimitMs = 29_000;
const tryAgainMs = 1_000;

/**
 * The process around a service: start it, stop it on SIGTERM or SIGINT, exit 0 when it closed within 29 s.
 * A start that fails says why in one line and exits 1; one that only lacks what may still come waits for it first, so
 * that a database that is back is used at once and not after a back-off of minutes. What nobody caught is logged once and ends the process.
 */
export async function runService<C extends { logLevel: string }>(
  name: string,
  readConfig: (environment: NodeJS.ProcessEnv) => C,
  start: (config: C, log: Logger) => Promise<RunningService>,
): Promise<void> {
  let log = createLogger(name, 'info');
  let running: RunningService | undefined;
  let stopping = false;

  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => {
      log.error('did not stop in time');
      process.exit(1);
    }, shutdownLimitMs).unref();
    await running?.close();
    log.info('stopped');
    process.exit(0);
  };
  const die = (error: unknown, message: string): void => {
    log.fatal({ err: error }, message);
    process.exit(1);
  };
  process.once('SIGTERM', () => void stop('SIGTERM').catch((error: unknown) => die(error, 'stopping failed')));
  process.once('SIGINT', () => void stop('SIGINT').catch((error: unknown) => die(error, 'stopping failed')));
  process.on('uncaughtException', (error) => die(error, 'uncaught exception'));
  process.on('unhandledRejection', (error) => die(error, 'unhandled rejection'));

  try {
    const config = readConfig(process.env);
    log = createLogger(name, config.logLevel);
    const started = await startPatiently(() => start(config, log), startPatienceMs(process.env), log);
    if (stopping) await started.close();
    else running = started;
  } catch (error) {
    if (error instanceof ConfigError) log.fatal(error.message);
    else log.fatal({ err: error }, 'start failed');
    process.exit(1);
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
