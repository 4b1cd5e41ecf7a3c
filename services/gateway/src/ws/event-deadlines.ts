/** Something that must be answered in time. */
export type Due = { readonly deadline: number; expire(): void };

const tickMs = 100;

/**
 * Ends what was not answered in time. All deadlines lie equally far ahead, so the oldest comes first and one timer
 * serves all of them: a timer for each event would cost more than many an event.
 */
export class EventDeadlines {
  readonly #due = new Set<Due>();
  readonly #timer: NodeJS.Timeout;

  constructor(now: () => number = Date.now) {
    this.#timer = setInterval(() => {
      const time = now();
      for (const due of this.#due) {
        if (due.deadline > time) return;
        this.#due.delete(due);
        due.expire();
      }
    }, tickMs);
    this.#timer.unref();
  }

  /** What is under way. */
  get size(): number {
    return this.#due.size;
  }

  add(due: Due): void {
    this.#due.add(due);
  }

  /** It was answered. */
  done(due: Due): void {
    this.#due.delete(due);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#due.clear();
  }
}
