import { type BluewaveError, toBluewaveError } from '../bluewave-error.ts';
import type { SyncAnswer } from '../contract.ts';
import type { Clock } from '../environment.ts';
import type { Api } from '../rest/api.ts';
import type { Conversations } from '../views/conversations.ts';

export type StarSyncOptions = {
  api: Api;
  clock: Clock;
  conversations: Pick<Conversations, 'all' | 'takeStar' | 'takeStars' | 'starMark'>;
  onStar(star: NonNullable<SyncAnswer['starred']>[number]): void;
  onProblem(error: BluewaveError): void;
};

const pageSize = 100;
const retryMs = 5_000;
/** Of more stars than these pages have, the older ones stay as they are shown. */
const mostPages = 20;

/**
 * Keeps own stars as they are on the user's other devices. Of messages that are held here since before the connection,
 * events were missed, and no entry of a log tells a star: they are read from the list of all stars.
 */
export class StarSync {
  readonly #options: StarSyncOptions;
  #isConnected = false;
  #isStale = false;
  #isListing = false;
  #stopRetry: (() => void) | undefined;

  constructor(options: StarSyncOptions) {
    this.#options = options;
  }

  connected(): void {
    this.#isConnected = true;
    this.#isStale ||= this.#options.conversations.all().length > 0;
  }

  /** Sync is asked now. @returns what takes its answer */
  asked(): (answer: Pick<SyncAnswer, 'starred' | 'starredReset'>) => void {
    const { conversations, onStar } = this.#options;
    const mark = conversations.starMark;
    return ({ starred = [], starredReset = false }) => {
      for (const star of starred) {
        if (conversations.takeStar(star, mark)) onStar(star);
      }
      if (starredReset) this.#isStale = true;
    };
  }

  disconnected(): void {
    this.#isConnected = false;
    this.#stopRetry?.();
  }

  /** Every conversation is known. */
  synced(): void {
    this.#stopRetry?.();
    if (this.#isStale && !this.#isListing) void this.#list();
  }

  async #list(): Promise<void> {
    const { api, clock, conversations, onProblem } = this.#options;
    const mark = conversations.starMark;
    // What is told from here on, and is too much again, is another list.
    this.#isStale = false;
    this.#isListing = true;
    try {
      const ids = new Set<string>();
      let cursor: string | null | undefined;
      for (let page = 0; page < mostPages && cursor !== null; page += 1) {
        const query = { limit: pageSize, ...(cursor === undefined ? {} : { cursor }) };
        const answer = await api('starsList', { query });
        for (const { id } of answer.items) ids.add(id);
        cursor = answer.nextCursor;
      }
      conversations.takeStars({ ids, isComplete: cursor === null, mark });
    } catch (thrown) {
      this.#isStale = true;
      const error = toBluewaveError(thrown);
      if (!error.retryable) onProblem(error);
      else if (this.#isConnected) this.#stopRetry = clock.after(retryMs, () => this.synced());
    } finally {
      this.#isListing = false;
    }
  }
}
