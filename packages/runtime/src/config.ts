import { z } from 'zod';

/** A configuration that cannot be used; `message` names each variable and what to do, one per line. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** Something that a start needs is not there yet, and may come: the same start can succeed in a while. */
export class NotYetError extends ConfigError {
  override name = 'NotYetError';
}

/**
 * Reads and checks the environment once.
 * @param shape zod object whose keys are variable names; empty strings count as absent.
 * @returns the typed values. @throws ConfigError naming every wrong variable.
 */
export function readEnvironment<S extends z.ZodObject>(
  shape: S,
  environment: Record<string, string | undefined>,
): z.output<S> {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = shape.safeParse(present);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'environment'}: ${issue.message}`);
  throw new ConfigError(`Configuration is not usable. ${lines.join('; ')}`);
}

/** A whole number in a variable, e.g. a port. */
export const integer = (fallback: number, min = 0, max = Number.MAX_SAFE_INTEGER) =>
  z.coerce.number().int().min(min).max(max).default(fallback);

/** `true` or `false`. */
export const flag = (fallback: boolean) =>
  z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .default(fallback);

/** Comma-separated values, trimmed; empty parts dropped. */
export const list = () =>
  z
    .string()
    .default('')
    .transform((value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    );

/** A URL of one of the given schemes; the message never repeats the value (it may hold a password). */
export const url = (...schemes: string[]) =>
  z.string({ error: `is required: a ${schemes.join(' or ')} URL` }).refine(
    (value) =>
      value.split(',').every((part) => {
        const scheme = /^([a-z0-9+]+):\/\/[^/]/i.exec(part.trim())?.[1];
        return scheme !== undefined && schemes.includes(scheme);
      }),
    `must be a URL that starts with ${schemes.map((s) => `${s}://`).join(' or ')}`,
  );

/** The variables that every service reads. */
export const commonEnvironment = {
  BLUEWAVE_ENV: z.enum(['development', 'production']).default('production'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  BIND_HOST: z.string().default('0.0.0.0'),
  ADMIN_PORT: integer(9090, 0, 65535),
  /** How long a start waits for its database. Less than the startup probe of the chart allows. */
  START_PATIENCE_SECONDS: integer(90, 0, 3_600),
  /** A module that is handed what is the platform's own fault. */
  ERROR_HOOK: z.string().optional(),
  GRPC_TLS_CA_FILE: z.string().optional(),
  GRPC_TLS_CERT_FILE: z.string().optional(),
  GRPC_TLS_KEY_FILE: z.string().optional(),
  GRPC_ALLOWED_CALLERS: list(),
};

/** The path of a module that exports `report`, if faults are to be handed on. */
export function errorHookOf(environment: Record<string, string | undefined>): string | undefined {
  const { ERROR_HOOK } = commonEnvironment;
  return readEnvironment(z.object({ ERROR_HOOK }), environment).ERROR_HOOK;
}

/** How long a start may be tried again, in milliseconds. @throws ConfigError */
export function startPatienceMs(environment: Record<string, string | undefined>): number {
  const { START_PATIENCE_SECONDS } = commonEnvironment;
  return readEnvironment(z.object({ START_PATIENCE_SECONDS }), environment).START_PATIENCE_SECONDS * 1_000;
}
