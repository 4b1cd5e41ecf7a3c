import { type DestinationStream, type LoggerOptions, pino, type Logger as PinoLogger } from 'pino';
import { currentTraceId } from './trace.ts';

export type Logger = PinoLogger;

/** Something that is the platform's own fault: what was logged with `error` or `fatal`. */
export type Fault = { error: Error; context: FaultContext };
export type FaultContext = {
  service: string;
  level: 'error' | 'fatal';
  /** What the log says. */
  message: string;
  traceId?: string;
  /** Further fields of the record that are no objects. */
  [field: string]: string | number | boolean | undefined;
};
/** Where faults go beside the log. Must not throw, nor take time. */
export type FaultSink = { take(fault: Fault): void };

const levelsOfFaults = new Map<number, 'error' | 'fatal'>([
  [50, 'error'],
  [60, 'fatal'],
]);

/**
 * Structured JSON, one record a line, on stdout unless told otherwise. Fields are named by the caller; bodies, tokens, codes and phones are never passed in,
 * and the paths below are censored should they be. Faults are handed to `faults` too.
 */
export function createLogger(
  service: string,
  level: string,
  destination?: DestinationStream,
  faults?: FaultSink,
): Logger {
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
    ...(faults ? { hooks: handFaultsTo(faults, service) } : {}),
  };
  return destination ? pino(options, destination) : pino(options);
}

function handFaultsTo(faults: FaultSink, service: string): NonNullable<LoggerOptions['hooks']> {
  return {
    logMethod(args, method, level) {
      const kind = levelsOfFaults.get(level);
      if (kind) faults.take(faultOf(service, kind, args));
      return method.apply(this, args);
    },
  };
}

/** The record as a fault: its error, or one made of what it says. */
function faultOf(service: string, level: 'error' | 'fatal', [first, second]: unknown[]): Fault {
  const fields = typeof first === 'object' && first !== null && !(first instanceof Error) ? first : {};
  const given: unknown = first instanceof Error ? first : (fields as { err?: unknown }).err;
  const said = typeof first === 'string' ? first : second;
  const message = typeof said === 'string' ? said : given instanceof Error ? given.message : 'something failed';
  const flat = Object.entries(fields).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  const traceId = currentTraceId();
  return {
    error: given instanceof Error ? given : new Error(message),
    context: { ...(traceId === undefined ? {} : { traceId }), ...Object.fromEntries(flat), service, level, message },
  };
}

/** An error with its chain of causes, flat enough to grep. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
  return { type: error.name, message: error.message, stack: error.stack, ...cause };
}
