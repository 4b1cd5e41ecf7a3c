import type { Logger } from '@bluewave/runtime/logger';
import { ErrorCode, NatsError } from 'nats';

const noJetStream = [10_039, 10_076];
const noRoom = [10_023, 10_047];
const tooFewServers = 10_074;

/** The client's own codes, by what they mean to an operator. */
const codes: Record<string, (reason: string) => string> = {
  // 503: also what a server says that has no JetStream at all.
  [ErrorCode.NoResponders]: () => withoutJetStream,
  [ErrorCode.AuthorizationViolation]: () => refused,
  [ErrorCode.AuthenticationExpired]: () => refused,
  [ErrorCode.PermissionsViolation]: (reason) => `The NATS user may not do that (${reason}): allow its subjects`,
  [ErrorCode.ConnectionRefused]: unreachable,
  [ErrorCode.Timeout]: unreachable,
};

const withoutJetStream =
  'NATS has no JetStream for this user: start nats-server with -js (jetstream {} in its configuration)';
const refused = 'NATS refuses the user or the password in NATS_URL: check them';

function unreachable(reason: string): string {
  return `NATS does not answer at NATS_URL (${reason}): check host and port, and that it runs`;
}

/** What is wrong with NATS and what to do, in one line. */
export function natsTrouble(error: unknown): string {
  const reason = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ');
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ETIMEDOUT/.test(reason)) return unreachable(reason);
  if (!(error instanceof NatsError)) return reason;
  const api = error.api_error?.err_code ?? 0;
  if (noJetStream.includes(api)) return withoutJetStream;
  if (noRoom.includes(api)) return `JetStream has no room (${reason}): raise max_file_store, or its volume`;
  if (api === tooFewServers) {
    return `JetStream has fewer servers than NATS_STREAM_REPLICAS (${reason}): start them, or lower it`;
  }
  return codes[error.code]?.(reason) ?? reason;
}

/** Says a trouble when it begins or changes, and not each time that it is still there. */
export class TroubleLog {
  readonly #log: Logger;
  #told = '';

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @param consequence what does not work meanwhile, and what does */
  warn(error: unknown, consequence: string): void {
    const trouble = natsTrouble(error);
    if (trouble === this.#told) return this.#log.debug({ err: error }, trouble);
    this.#told = trouble;
    this.#log.warn({ err: error }, `${trouble}. ${consequence}; trying on.`);
  }

  /** @param what is well again, said only after a trouble */
  over(what: string): void {
    if (this.#told !== '') this.#log.info(what);
    this.#told = '';
  }
}
