import { headsMoved } from '@bluewave/events/codec';
import type { EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import type { Clock } from '@bluewave/runtime/clock';

const tickMs = 1_000;
/** Said again for this long after a head moved, so that the loss of one beacon does not matter. */
const repeatMs = 3_000;
const headsPerEvent = 500;

/**
 * Tells all gateways once a second which conversations moved at this process, so that one that lost the last event
 * of a conversation learns of it within 2 s (G6).
 */
export class HeadsBeacon {
  readonly #bus: EventBus;
  readonly #clock: Clock;
  readonly #moved = new Map<string, { seq: number; at: number }>();
  readonly #timer: NodeJS.Timeout;

  constructor(bus: EventBus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
    this.#timer = setInterval(() => this.#tell(), tickMs);
  }

  note(conversationId: string, seq: number): void {
    const known = this.#moved.get(conversationId);
    if (!known || known.seq < seq) this.#moved.set(conversationId, { seq, at: this.#clock() });
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tell(): void {
    const oldest = this.#clock() - repeatMs;
    for (const [conversationId, { at }] of this.#moved) {
      if (at < oldest) this.#moved.delete(conversationId);
    }
    const heads = [...this.#moved].map(([conversationId, { seq }]) => ({ conversationId, seq }));
    for (let start = 0; start < heads.length; start += headsPerEvent) {
      this.#bus.publish(subjects.headsMoved, headsMoved.encode({ heads: heads.slice(start, start + headsPerEvent) }));
    }
  }
}
