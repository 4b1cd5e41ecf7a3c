import { LRUCache } from 'lru-cache';
import type { Lane } from './lane.ts';

/**
 * Lanes in use are kept by name; idle ones stay while there is room, so that a conversation's head and members are
 * warm. A lane is never in two places: whoever uses it finds the one there is.
 */
export class LaneCache {
  readonly #active = new Map<string, Lane>();
  readonly #idle: LRUCache<string, Lane>;

  /** @param maxMembers sum of members over idle conversations, the measure of memory. */
  constructor(maxMembers: number) {
    this.#idle = new LRUCache({
      maxSize: maxMembers,
      sizeCalculation: (lane) => 8 + (lane.state?.members.size ?? 0),
    });
  }

  /** The lane there is, without taking it into use. */
  peek(id: string): Lane | undefined {
    return this.#active.get(id) ?? this.#idle.get(id);
  }

  acquire(id: string): Lane {
    const active = this.#active.get(id);
    if (active) return active;
    const lane = this.#idle.get(id) ?? { id, state: undefined, currentFor: 0, knownAt: 0, queue: [], busy: false };
    this.#idle.delete(id);
    this.#active.set(id, lane);
    return lane;
  }

  /** Gives an unused lane back; one with work, or of a conversation that does not exist, is not kept. */
  release(lane: Lane): void {
    if (lane.busy || lane.queue.length > 0) return;
    this.#active.delete(lane.id);
    if (lane.state?.info) this.#idle.set(lane.id, lane);
  }
}
