import { ConfigError } from './config.ts';
import { createLogger, type Logger } from './logger.ts';

/** A started service: `close` drains and lets everything go, idempotently. */
export type RunningService = { close(): Promise<void> };

const shutdownLimitMs = 29_000;

/**
 * The process around a service: start it, stop it on SIGTERM or SIGINT, exit 0 when it closed within 29 s.
 * A start that fails says why in one line and exits 1; what nobody caught is logged once and ends the process.
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
    const started = await start(config, log);
    if (stopping) await started.close();
    else running = started;
  } catch (error) {
    if (error instanceof ConfigError) log.fatal(error.message);
    else log.fatal({ err: error }, 'start failed');
    process.exit(1);
  }
}
