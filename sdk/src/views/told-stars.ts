import type { Message } from '../contract.ts';

/** Stars remembered: a message that is shown late was asked for at most some seconds ago. */
const remembered = 1_000;

/**
 * The own stars that were told one by one. No entry of a log orders them, so a message that was read before a star was
 * told, and comes after it, would show the star as it was.
 */
export class ToldStars {
  readonly #told = new Map<string, { on: boolean; at: number }>();
  #at = 0;

  /** Stands for all that was told so far: give it with what is asked for at this moment. */
  get mark(): number {
    return this.#at;
  }

  tell(messageId: string, on: boolean): void {
    // The last one told is last in the map.
    this.#told.delete(messageId);
    this.#told.set(messageId, { on, at: (this.#at += 1) });
    const [oldest] = this.#told.keys();
    if (this.#told.size > remembered && oldest !== undefined) this.#told.delete(oldest);
  }

  /** What was told about the star of a message after `mark`; undefined for nothing. */
  since(mark: number, messageId: string): boolean | undefined {
    const told = this.#told.get(messageId);
    return told && told.at > mark ? told.on : undefined;
  }

  /** A message that was asked for at `mark`, with what was told since. */
  over(mark: number, message: Message): Message {
    const starred = this.since(mark, message.id) ?? message.starred;
    return starred === message.starred ? message : { ...message, starred };
  }
}
