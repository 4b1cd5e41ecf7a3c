/** What the core needs of an entry of a log and of a conversation; it passes both on as they are. */
export type AnyEntry = { conversationId: string; seq: number };
export type AnyConversation = {
  id: string;
  head: number;
  /** `firstSeq`: where history begins for this user, when that is later than the log does. */
  me?: { firstSeq?: number };
};

export type AnySyncAnswer<E, V> = {
  conversations: readonly { conversation: V; entries: readonly E[]; hasMore: boolean }[];
  removed: readonly string[];
  token: string;
};

/** What happens to a client, as far as sync is concerned. */
export type SyncInput<E, V> =
  | { type: 'connected' }
  | { type: 'disconnected' }
  /** Another gateway took over without a gap; what changed without an entry meanwhile may have been missed. */
  | { type: 'moved' }
  /** An entry came as an event. */
  | { type: 'entry'; entry: E }
  /** This user became a member: `conversation:added`. */
  | { type: 'added'; conversation: V }
  /** No longer a member: `conversation:removed`. */
  | { type: 'removed'; conversationId: string }
  /** The heartbeat's answer asked for it. */
  | { type: 'resync' }
  /** The time of an effect `hold` is over. */
  | { type: 'holdOver'; conversationId: string }
  | { type: 'answer'; request: number; answer: AnySyncAnswer<E, V> }
  /** A request got no answer; `slow` when it ran out of time. */
  | { type: 'failed'; request: number; slow: boolean }
  /** The time of an effect `retry` is over. */
  | { type: 'retry' };

/** What is to be done about it, in this order. */
export type SyncEffect<E, V> =
  /** The next entry of its conversation. `live`: it came as an event, not by sync. */
  | { type: 'apply'; entry: E; live: boolean }
  /** The server's view of a conversation. */
  | { type: 'view'; conversation: V }
  /** A conversation is followed from now on; entries up to `have` are left out. */
  | { type: 'follow'; conversationId: string; have: number }
  /** The local copy goes: the user was removed, or the log began anew. */
  | { type: 'forget'; conversationId: string; why: 'removed' | 'epoch' }
  /** Give `holdOver` after `ms`. */
  | { type: 'hold'; conversationId: string; ms: number }
  /** The hold is no longer needed. */
  | { type: 'release'; conversationId: string }
  | { type: 'sync'; request: number; cursors: Record<string, number>; token?: string; limit: number }
  /** Give `retry` after `ms`. */
  | { type: 'retry'; ms: number }
  /** Everything up to the heads that were told is applied. */
  | { type: 'synced' };

export type SyncCoreOptions = {
  /** Of a conversation that is new on this device, entries further back than this are left out; Infinity takes all. */
  window: number;
  /** Conversations held, and the last seq of each. */
  have?: Iterable<readonly [conversationId: string, seq: number]>;
};

export type SyncCore<E, V> = {
  handle(input: SyncInput<E, V>): SyncEffect<E, V>[];
  /** The last seq applied of each conversation. */
  heads(): Record<string, number>;
};

export const holdMs = 300;
/** Entries asked for at once of each conversation. */
export const pageLimit = 200;
/** The server takes no more cursors in one request. */
const maxCursors = 1_000;
/** Early entries kept of each conversation; what is dropped beyond that comes by sync. */
const maxHeld = 1_000;
const smallestLimit = 10;
const firstRetryMs = 250;
const lastRetryMs = 5_000;
/** Effects that show that an answer brought something. */
const moves: readonly string[] = ['apply', 'follow', 'forget'];

type Line<E> = {
  have: number;
  /** The furthest seq heard of. */
  head: number;
  held: Map<number, E>;
  holding: boolean;
  /** When it was last added, as counted by `changes`. */
  addedAt: number;
};

type Request = { id: number; cursors: Record<string, number>; full: boolean; changes: number };

/**
 * The rules by which a device applies every entry of its conversations exactly once and in order, whatever the network
 * loses, doubles or reorders: `have + 1` is applied, what is not newer is dropped, what is further ahead is held for
 * 300 ms, then `sync` brings what is missing, page by page up to the head. Deterministic: no time, no network, nothing
 * random. `sdk/vectors` describes it for other languages.
 */
export function createSyncCore<E extends AnyEntry, V extends AnyConversation>(
  options: SyncCoreOptions,
): SyncCore<E, V> {
  const core = new Core<E, V>(options);
  return { handle: (input) => core.handle(input), heads: () => core.heads() };
}

class Core<E extends AnyEntry, V extends AnyConversation> {
  readonly #window: number;
  readonly #lines = new Map<string, Line<E>>();
  /** Entries of conversations that were not told of yet. */
  readonly #strays = new Map<string, E[]>();
  /** Conversations removed since the request under way began. */
  readonly #removedAt = new Map<string, number>();
  #changes = 0;
  #requests = 0;
  #connected = false;
  #request: Request | undefined;
  #wanted = false;
  #full = false;
  #waiting = false;
  #failures = 0;
  #token: string | undefined;
  #limit = pageLimit;
  /** Where the next request goes on, when there are more conversations than cursors. */
  #rotation = 0;
  #effects: SyncEffect<E, V>[] = [];

  constructor({ window, have = [] }: SyncCoreOptions) {
    this.#window = window;
    for (const [id, seq] of have) this.#lines.set(id, newLine(seq, 0));
  }

  heads(): Record<string, number> {
    return Object.fromEntries([...this.#lines].map(([id, { have }]) => [id, have]));
  }

  handle(input: SyncInput<E, V>): SyncEffect<E, V>[] {
    this.#effects = [];
    this.#take(input);
    this.#ask();
    return this.#effects;
  }

  #take(input: SyncInput<E, V>): void {
    switch (input.type) {
      case 'connected':
        this.#connected = true;
        this.#waiting = false;
        this.#failures = 0;
        return this.#want(true);
      case 'moved':
        return this.#want(false);
      case 'disconnected':
        this.#connected = false;
        this.#request = undefined;
        return;
      case 'entry':
        return this.#hear(input.entry);
      case 'added':
        return this.#add(input.conversation);
      case 'removed':
        this.#removedAt.set(input.conversationId, (this.#changes += 1));
        return this.#forget(input.conversationId, 'removed');
      case 'resync':
        return this.#want(true);
      case 'holdOver':
        return this.#endHold(input.conversationId);
      case 'answer':
        if (this.#request?.id === input.request) this.#learn(this.#request, input.answer);
        return;
      case 'failed':
        if (this.#request?.id === input.request) this.#fail(this.#request, input.slow);
        return;
      case 'retry':
        this.#waiting = false;
    }
  }

  #want(full: boolean): void {
    this.#wanted = true;
    this.#full ||= full;
  }

  #hear(entry: E): void {
    const line = this.#lines.get(entry.conversationId);
    if (line) return this.#accept(line, entry, true);
    const strays = this.#strays.get(entry.conversationId) ?? [];
    this.#strays.set(entry.conversationId, strays);
    if (strays.length < maxHeld) strays.push(entry);
    this.#want(false);
  }

  #add(conversation: V): void {
    const line = this.#lines.get(conversation.id) ?? this.#follow(conversation);
    line.addedAt = this.#changes += 1;
    line.head = Math.max(line.head, conversation.head);
    this.#effects.push({ type: 'view', conversation });
    this.#beginAt(line, conversation.me?.firstSeq);
    this.#acceptStrays(conversation.id, line);
    // Its entries are on their way.
    if (line.have < line.head) this.#hold(conversation.id, line);
  }

  #follow({ id, head }: V): Line<E> {
    const line = newLine<E>(Math.max(0, head - this.#window), this.#changes);
    this.#lines.set(id, line);
    this.#effects.push({ type: 'follow', conversationId: id, have: line.have });
    return line;
  }

  #forget(conversationId: string, why: 'removed' | 'epoch'): void {
    this.#strays.delete(conversationId);
    const line = this.#lines.get(conversationId);
    if (!line) return;
    this.#lines.delete(conversationId);
    if (line.holding) this.#effects.push({ type: 'release', conversationId });
    this.#effects.push({ type: 'forget', conversationId, why });
  }

  /** The one place where entries become applied ones. */
  #accept(line: Line<E>, entry: E, live: boolean): void {
    if (entry.seq <= line.have) return;
    line.head = Math.max(line.head, entry.seq);
    if (entry.seq > line.have + 1) {
      if (line.held.size < maxHeld) line.held.set(entry.seq, entry);
      return this.#hold(entry.conversationId, line);
    }
    this.#apply(line, entry, live);
    this.#applyHeld(line);
    if (line.holding && line.have >= line.head) {
      line.holding = false;
      this.#effects.push({ type: 'release', conversationId: entry.conversationId });
    }
  }

  #apply(line: Line<E>, entry: E, live: boolean): void {
    line.held.delete(entry.seq);
    line.have = entry.seq;
    this.#effects.push({ type: 'apply', entry, live });
  }

  #applyHeld(line: Line<E>): void {
    for (let next = line.held.get(line.have + 1); next; next = line.held.get(line.have + 1)) {
      this.#apply(line, next, true);
    }
  }

  /** There is nothing below `first` for this user: what lies between is no gap. */
  #beginAt(line: Line<E>, first = 0): void {
    if (first <= line.have + 1) return;
    line.have = first - 1;
    line.head = Math.max(line.head, line.have);
    for (const seq of line.held.keys()) if (seq < first) line.held.delete(seq);
    this.#applyHeld(line);
  }

  #acceptStrays(conversationId: string, line: Line<E>): void {
    const strays = this.#strays.get(conversationId) ?? [];
    this.#strays.delete(conversationId);
    for (const entry of strays.sort((one, other) => one.seq - other.seq)) this.#accept(line, entry, true);
  }

  #hold(conversationId: string, line: Line<E>): void {
    if (line.holding) return;
    line.holding = true;
    this.#effects.push({ type: 'hold', conversationId, ms: holdMs });
  }

  #endHold(conversationId: string): void {
    const line = this.#lines.get(conversationId);
    if (!line?.holding) return;
    line.holding = false;
    if (line.have < line.head) this.#want(false);
  }

  #learn(request: Request, { conversations, removed, token }: AnySyncAnswer<E, V>): void {
    this.#request = undefined;
    this.#token = token;
    this.#limit = Math.min(pageLimit, this.#limit * 2);
    const before = this.#effects.length;
    // Wanted while this answer was on its way: it cannot have what that was about.
    const again = this.#wanted;
    for (const id of removed) this.#learnRemoval(id, request);
    let more = false;
    for (const { conversation, entries, hasMore } of conversations) {
      const { id } = conversation;
      if ((this.#removedAt.get(id) ?? -1) > request.changes && !this.#lines.has(id)) continue;
      this.#learnPage(request, conversation, entries);
      more ||= hasMore && id in request.cursors;
    }
    this.#removedAt.clear();
    const behind = more || [...this.#lines.values()].some(({ have, head, holding }) => have < head && !holding);
    const progressed = this.#effects.slice(before).some(({ type }) => moves.includes(type));
    if (progressed || !behind) this.#failures = 0;
    if (behind) this.#wanted = true;
    if (behind && !progressed && !again) this.#retryLater();
    else if (!this.#wanted) this.#effects.push({ type: 'synced' });
  }

  #learnRemoval(conversationId: string, request: Request): void {
    // Added again after the question: this answer is older than that.
    if ((this.#lines.get(conversationId)?.addedAt ?? 0) > request.changes) return this.#want(true);
    this.#forget(conversationId, 'removed');
  }

  #learnPage(request: Request, conversation: V, entries: readonly E[]): void {
    const { id, head } = conversation;
    const cursor = request.cursors[id];
    // The log that this device knows has ended; there is another one under its name.
    if (cursor !== undefined && head < cursor) this.#forget(id, 'epoch');
    const line = this.#lines.get(id) ?? this.#follow(conversation);
    this.#effects.push({ type: 'view', conversation });
    line.head = Math.max(line.head, head);
    this.#beginAt(line, conversation.me?.firstSeq);
    // Asked from where this device is or from further back: an answer that begins later says that there is no more.
    if (cursor !== undefined && line.have >= cursor) this.#beginAt(line, entries[0]?.seq);
    for (const entry of entries) this.#accept(line, entry, false);
    this.#acceptStrays(id, line);
  }

  #fail({ full }: Request, slow: boolean): void {
    this.#request = undefined;
    this.#want(full);
    if (slow) this.#limit = Math.max(smallestLimit, Math.floor(this.#limit / 2));
    this.#retryLater();
  }

  #retryLater(): void {
    this.#waiting = true;
    this.#effects.push({ type: 'retry', ms: Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(this.#failures, 10)) });
    this.#failures += 1;
  }

  /** Asks when that is wanted and possible, one request at a time. */
  #ask(): void {
    if (!this.#wanted || !this.#connected || this.#request || this.#waiting) return;
    const cursors = this.#cursors();
    // Without a token everything is told; with one, what moved since.
    const full = this.#full || this.#token === undefined;
    this.#full = this.#rotation > 0 && full;
    this.#wanted = this.#full;
    this.#requests += 1;
    this.#request = { id: this.#requests, cursors, full, changes: this.#changes };
    this.#effects.push({
      type: 'sync',
      request: this.#requests,
      cursors,
      ...(full || this.#token === undefined ? {} : { token: this.#token }),
      // A new device first learns which conversations there are, then takes the end of each.
      limit: this.#lines.size === 0 && Number.isFinite(this.#window) ? 1 : this.#limit,
    });
  }

  #cursors(): Record<string, number> {
    const lines = [...this.#lines];
    if (lines.length <= maxCursors) {
      this.#rotation = 0;
      return this.heads();
    }
    const start = this.#rotation < lines.length ? this.#rotation : 0;
    const some = lines.slice(start, start + maxCursors);
    this.#rotation = start + maxCursors < lines.length ? start + maxCursors : 0;
    return Object.fromEntries(some.map(([id, { have }]) => [id, have]));
  }
}

function newLine<E>(have: number, addedAt: number): Line<E> {
  return { have, head: have, held: new Map(), holding: false, addedAt };
}
