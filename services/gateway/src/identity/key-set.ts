import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { AppError } from '@bluewave/errors/app-error';
import { newTraceId } from '@bluewave/runtime/ids';
import type { Logger } from '@bluewave/runtime/logger';
import { z } from 'zod';
import type { AuthClient } from '../clients/clients.ts';

const jwkSet = z.object({
  keys: z.array(z.looseObject({ kid: z.string().min(1), kty: z.literal('EC'), crv: z.literal('P-256') })),
});

export type KeySetOptions = {
  auth: Pick<AuthClient, 'GetKeys'>;
  log: Logger;
  now?: () => number;
  /** How often keys are asked for anyway. */
  refreshEveryMs?: number;
  /** The least time between two askings for an unknown key. */
  unknownEveryMs?: number;
};

/**
 * The public keys of auth by `kid`. They are refreshed every minute and when a token names an unknown one; while auth
 * is away those known stay in use.
 */
export class KeySet {
  readonly #options: KeySetOptions;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #keys = new Map<string, KeyObject>();
  #json: string | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<boolean> | undefined;
  #lastAskWorked = false;

  constructor(options: KeySetOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#timer = setInterval(() => void this.#ask(), options.refreshEveryMs ?? 60_000);
    this.#timer.unref();
  }

  /** The key of a `kid`, or undefined when auth does not know it. @throws UNAVAILABLE when auth cannot be asked. */
  async find(kid: string): Promise<KeyObject | undefined> {
    const known = this.#keys.get(kid);
    if (known) return known;
    await this.#askOnceIn(this.#options.unknownEveryMs ?? 1_000);
    const found = this.#keys.get(kid);
    if (!found && !this.#lastAskWorked) throw unavailable();
    return found;
  }

  /** The JWK set as JSON, for whoever verifies tokens elsewhere. @throws UNAVAILABLE before auth was ever reached. */
  async json(): Promise<string> {
    if (this.#json === undefined) await this.#askOnceIn(this.#options.unknownEveryMs ?? 1_000);
    if (this.#json === undefined) throw unavailable();
    return this.#json;
  }

  /** Asks now, or joins who asks already. @returns whether auth answered */
  refresh(): Promise<boolean> {
    return this.#ask();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #askOnceIn(ms: number): Promise<void> {
    if (!this.#asking && this.#now() - this.#askedAt < ms) return;
    await this.#ask();
  }

  #ask(): Promise<boolean> {
    this.#asking ??= this.#load().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #load(): Promise<boolean> {
    this.#askedAt = this.#now();
    try {
      const context = { traceId: newTraceId(), deadline: Date.now() + 2_000 };
      const { jwksJson } = await this.#options.auth.GetKeys({}, context);
      const { keys } = jwkSet.parse(JSON.parse(jwksJson));
      this.#keys = new Map(
        keys.map((key) => [key.kid, createPublicKey({ key: key as JsonWebKey, format: 'jwk' })] as const),
      );
      this.#json = jwksJson;
      this.#lastAskWorked = true;
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the keys of auth cannot be read; those known stay in use');
      this.#lastAskWorked = false;
    }
    return this.#lastAskWorked;
  }
}

function unavailable(): AppError {
  return new AppError('UNAVAILABLE', 'Tokens cannot be checked at the moment. Try again.', { retryAfterMs: 1_000 });
}
