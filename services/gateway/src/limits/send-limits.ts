import { AppError } from '@bluewave/errors/app-error';
import type { CallContext } from '@bluewave/rpc/service-definition';
import { LRUCache } from 'lru-cache';
import type { ConversationTypes } from '../clients/conversation-types.ts';
import { rateLimited, type RateLimiter, refusedBy } from './rate-limiter.ts';
import type { RoomLimiter } from './room-limiter.ts';
import type { RoomLimit, RoomVerdict } from './room-window.ts';
import { type RateLimit, type RateVerdict, takeFromWindow, type WindowState } from './sliding-window.ts';

export type SendLimitsOptions = {
  limiter: RateLimiter;
  rooms: RoomLimiter;
  types: Pick<ConversationTypes, 'typeOf'>;
  /** Messages of one user, in all conversations together. */
  messages: RateLimit;
  room: RoomLimit;
  /** Tells the user's sockets, on every gateway, of a mute that begins; `until` in milliseconds since the epoch. */
  tellMuted(userId: string, conversationId: string, until: number): void;
  now?: () => number;
};

export type Sending = { userId: string; conversationId: string; clientMsgId: string };

/** Whether a message may be sent, as far as limits go. */
export type Admission = {
  /** Why not; undefined when it may. */
  refusal: AppError | undefined;
  /** How much is left of the room's limit; undefined elsewhere. */
  room: RateVerdict | undefined;
  /** What was sent was no new message, but the repeat of one of `createdAt`: it costs nothing. */
  wasRepeat(createdAt: number): Promise<void>;
};

/** Refused sends of one user whose original is looked for; more are refused without a look, for a while. */
const lookups: RateLimit = { name: 'repeats', max: 60, windowMs: 60_000 };

/** Every limit of sending a message: so many a minute, and so many in a room, where who sends more is muted. */
export class SendLimits {
  readonly #options: SendLimitsOptions;
  readonly #now: () => number;
  readonly #lookups = new LRUCache<string, WindowState>({ max: 20_000 });

  constructor(options: SendLimitsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async admit(sending: Sending, context: CallContext): Promise<Admission> {
    const { limiter, messages } = this.#options;
    if (!limiter.enabled) return free;
    const verdict = await limiter.take(messages, sending.userId);
    const giveBack = () => limiter.giveBack(messages, sending.userId);
    if (!verdict.allowed) return { refusal: rateLimited(verdict), room: undefined, wasRepeat: async () => undefined };
    if ((await this.#options.types.typeOf(sending.conversationId, context)) !== 'room') {
      return { refusal: undefined, room: undefined, wasRepeat: giveBack };
    }
    return this.#admitToRoom(sending, giveBack);
  }

  /** Whether the original of a refused send may be looked for: what a flood asks for must not cost more than a flood. */
  mayLookUp(userId: string): boolean {
    const { state, verdict } = takeFromWindow(lookups, this.#lookups.get(userId), this.#now());
    this.#lookups.set(userId, state);
    return verdict.allowed;
  }

  async #admitToRoom(sending: Sending, giveBack: () => Promise<void>): Promise<Admission> {
    const { rooms, room, tellMuted } = this.#options;
    const { userId, conversationId, clientMsgId: id } = sending;
    const taking = { userId, conversationId, id };
    const verdict = await rooms.take(taking);
    if (verdict.isNewMute) tellMuted(userId, conversationId, verdict.mutedUntil);
    return {
      refusal: verdict.allowed ? undefined : muted(verdict, room, this.#now()),
      room: rateVerdictOf(verdict, room, this.#now()),
      wasRepeat: async (createdAt) => {
        await giveBack();
        // A younger one was counted under the same id, once: taken back, it would not count at all.
        if (createdAt < this.#now() - rooms.rememberedMs) await rooms.giveBack(taking);
      },
    };
  }
}

const free: Admission = { refusal: undefined, room: undefined, wasRepeat: async () => undefined };

function rateVerdictOf(verdict: RoomVerdict, { max, windowMs }: RoomLimit, now: number): RateVerdict {
  const retryAfterMs = verdict.allowed ? 0 : Math.max(1, verdict.mutedUntil - now);
  const { allowed, remaining } = verdict;
  return { allowed, limit: max, remaining, retryAfterMs, resetMs: windowMs };
}

function muted(verdict: RoomVerdict, limit: RoomLimit, now: number): AppError {
  const rate = rateVerdictOf(verdict, limit, now);
  const seconds = Math.ceil(rate.retryAfterMs / 1_000);
  const error = new AppError('RATE_LIMITED', `You are muted in this room. Try again in ${seconds} s.`, {
    retryAfterMs: rate.retryAfterMs,
    mutedUntil: new Date(verdict.mutedUntil).toISOString(),
  });
  return refusedBy(error, rate);
}
