import type { ClientEventName } from '@bluewave/api/socket-events';
import { AppError } from '@bluewave/errors/app-error';
import { EventBudget } from './event-budget.ts';
import { roomOf } from './room-names.ts';
import type { GatewaySocket } from './socket-types.ts';

type Pace = { burst: number; perSecond: number };

/** Events that cost others something, or that nobody needs often. What is not named has only the limit of the socket. */
const paces: Partial<Record<ClientEventName, Pace>> = {
  'typing:start': { burst: 20, perSecond: 5 },
  'typing:stop': { burst: 20, perSecond: 5 },
  'presence:set': { burst: 10, perSecond: 1 },
  'presence:watch': { burst: 20, perSecond: 2 },
  'presence:ping': { burst: 20, perSecond: 2 },
  'conversation:subscribe': { burst: 60, perSecond: 10 },
};
/** Answers to a sync are large: a client that does not read must not have many of them made. */
const maxSyncs = 2;
const soonMs = 250;

/**
 * What one socket may ask for, event by event. Budgets are made when they are first needed: most sockets are silent.
 */
export class EventLimits {
  readonly #now: () => number;
  #budgets: Map<ClientEventName, EventBudget> | undefined;
  #syncs = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @throws RATE_LIMITED when this event comes too often. */
  demandPace(event: ClientEventName): void {
    const pace = paces[event];
    if (!pace) return;
    this.#budgets ??= new Map();
    let budget = this.#budgets.get(event);
    if (!budget) this.#budgets.set(event, (budget = new EventBudget({ ...pace, now: this.#now })));
    const waitMs = budget.take();
    if (waitMs > 0) throw tooOften(waitMs);
  }

  /** @returns what to call when the event is answered. @throws RATE_LIMITED for a sync while earlier ones are unread. */
  begin(event: ClientEventName, socket: GatewaySocket): () => void {
    if (event !== 'sync') return nothing;
    if (this.#syncs >= maxSyncs || socket.rooms.has(roomOf.backlogged)) throw tooOften(soonMs);
    this.#syncs += 1;
    return () => {
      this.#syncs -= 1;
    };
  }
}

const nothing = (): void => undefined;

function tooOften(retryAfterMs: number): AppError {
  return new AppError('RATE_LIMITED', 'Too many of these events on this socket. Slow down.', { retryAfterMs });
}
