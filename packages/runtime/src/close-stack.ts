import type { Logger } from './logger.ts';

/** Anything that must be let go: a connection, a timer, a listener. */
export type Closable = { close(): Promise<void> | void };

/**
 * What was opened, closed in reverse order. One failing close is logged and does not keep the rest open.
 */
export class CloseStack {
  readonly #log: Logger;
  readonly #entries: { name: string; closable: Closable }[] = [];

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Registers `closable` and returns it. */
  add<T extends Closable>(name: string, closable: T): T {
    this.#entries.push({ name, closable });
    return closable;
  }

  async close(): Promise<void> {
    for (let entry = this.#entries.pop(); entry; entry = this.#entries.pop()) {
      try {
        await entry.closable.close();
      } catch (error) {
        this.#log.warn({ err: error, part: entry.name }, 'closing failed');
      }
    }
  }
}
