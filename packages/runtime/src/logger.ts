import { type DestinationStream, type LoggerOptions, pino, type Logger as PinoLogger } from 'pino';

export type Logger = PinoLogger;

/**
 * Structured JSON, one record a line, on stdout unless told otherwise. Fields are named by the caller; bodies, tokens, codes and phones are never passed in,
 * and the paths below are censored should they be.
 */
export function createLogger(service: string, level: string, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: { service },
    messageKey: 'message',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: describeError },
    redact: [
      '*.password',
      '*.token',
      '*.accessToken',
      '*.refreshToken',
      '*.code',
      '*.text',
      '*.phone',
      '*.authorization',
    ],
  };
  return destination ? pino(options, destination) : pino(options);
}

/** An error with its chain of causes, flat enough to grep. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
  return { type: error.name, message: error.message, stack: error.stack, ...cause };
}
