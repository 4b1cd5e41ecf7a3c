import { AppError } from '@bluewave/errors/app-error';
import type { Clock } from '@bluewave/runtime/clock';
import { sleep } from '@bluewave/runtime/deadline';
import type { Logger } from '@bluewave/runtime/logger';
import type { AppendRequest, AppendResult } from './append.ts';
import { orderedLimit, planBatch } from './batch-planner.ts';
import type { BootLease } from './boot-lease.ts';
import { applyEntry, type ConversationState } from './conversation-state.ts';
import { awaitEarlier, findEarlier, outcomeUnknown } from './earlier-entry.ts';
import { changesPermissions, type EntryBody, type LogEntry } from './entry.ts';
import type { EntryStore, InsertOutcome } from './entry-store.ts';
import type { Attempt, Lane, PendingAppend } from './lane.ts';
import type { LaneCache } from './lane-cache.ts';
import type { Hold, Outbox } from './outbox.ts';
import type { UnknownOutcomes } from './unknown-outcomes.ts';

export type LogWriterOptions = {
  store: EntryStore;
  lease: BootLease;
  outbox: Outbox;
  unknown: UnknownOutcomes;
  lanes: LaneCache;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Logger;
  /**
   * Called for each entry this process committed; releases the hold when done. The state is the one as of the entry,
   * in the conversation's order; undefined when the entry was found later, by its clientMsgId.
   */
  onCommitted(entry: LogEntry, hold: Hold, traceId: string, state: ConversationState | undefined): void;
};

const maxInFlight = 2;
const catchUpPage = 500;
/**
 * A head is believed for this long without being seen again. The address after an old one may have been taken, and
 * freed again by retention, whose shortest time is a day: an insert there would succeed below the log's end.
 */
export const headBelievedMs = 3_600_000;

/**
 * The write protocol: authorise against the head, insert at head + 1, and let the two unique indexes decide every
 * race. While batches are in flight the next one gathers. Guarantees G1 to G3 rest on this file.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  readonly #ready = new Set<Lane>();
  #inFlight = 0;
  #pumping = false;
  #closed = false;
  #open = 0;
  #asked = 0;
  #whenIdle: (() => void) | undefined;

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  /** Appends an entry, at most once for its (conversation, sender, clientMsgId). Rejects with an AppError. */
  append(request: AppendRequest): Promise<AppendResult> {
    if (this.#closed) return Promise.reject(new AppError('UNAVAILABLE', 'This server is going away. Try again.'));
    return new Promise((resolve, reject) => {
      const lane = this.#options.lanes.acquire(request.conversationId);
      this.#open += 1;
      this.#asked += 1;
      lane.queue.push({ request, order: this.#asked, hold: undefined, attemptUnknown: false, resolve, reject });
      this.#wake(lane);
    });
  }

  /** The state of a conversation as this process knows it, which may lag behind others'; undefined when cold. */
  peek(conversationId: string): Readonly<ConversationState> | undefined {
    return this.#options.lanes.peek(conversationId)?.state;
  }

  /** Refuses new appends and waits until the accepted ones have an answer. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#open > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
  }

  /** Brings an idle lane on: to work when some waits, back to the cache when none does. */
  #wake(lane: Lane): void {
    if (lane.busy) return;
    if (lane.queue.length === 0) return this.#options.lanes.release(lane);
    if (!lane.state) return this.#occupy(lane, () => this.#load(lane));
    this.#ready.add(lane);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#inFlight < maxInFlight) {
      const plan = planBatch(this.#ready);
      if (!plan) return;
      const boot = this.#options.lease.current();
      if (boot === undefined) return this.#takeBoot();
      for (const lane of plan.lanes) this.#ready.delete(lane);
      const attempts = plan.lanes.flatMap((lane) => this.#prepareLane(lane, plan.ordered ? orderedLimit : 1, boot));
      if (attempts.length > 0) {
        this.#inFlight += 1;
        void this.#insert(attempts, plan.ordered);
      }
    }
  }

  #takeBoot(): void {
    for (const lane of [...this.#ready]) {
      this.#occupy(lane, () => this.#options.lease.take().catch((error: unknown) => this.#backOff(lane, error)));
    }
  }

  /** Up to `limit` consecutive entries of a lane. One that changes permissions travels alone. */
  #prepareLane(lane: Lane, limit: number, boot: string): Attempt[] {
    if (this.#options.clock() - lane.knownAt > headBelievedMs) {
      this.#occupy(lane, () => this.#load(lane));
      return [];
    }
    const state = lane.state as ConversationState;
    const attempts: Attempt[] = [];
    this.#failLate(lane, undefined);
    for (let pending = lane.queue[0]; pending && attempts.length < limit; pending = lane.queue[0]) {
      const body = this.#prepare(pending, state, pending.order <= lane.currentFor);
      if (body === 'outdated') break;
      const alone = body !== null && changesPermissions(body.type);
      if (alone && attempts.length > 0) break;
      lane.queue.shift();
      if (body === null) continue;
      attempts.push({ lane, pending, entry: this.#stamp(pending, body, state.head + 1 + attempts.length, boot) });
      if (alone) break;
    }
    if (attempts.length > 0) lane.busy = true;
    else if (lane.queue.length > 0) this.#occupy(lane, () => this.#catchUp(lane));
    else this.#wake(lane);
    return attempts;
  }

  /**
   * What the rules say; a refusal, or that there is nothing to write, is answered here. That the state may be behind
   * does not matter for what is written, since its insert then fails; but a refusal by it proves nothing.
   */
  #prepare(pending: PendingAppend, state: ConversationState, isCurrent: boolean): EntryBody | null | 'outdated' {
    try {
      const body = pending.request.prepare(state);
      if (body !== null) return body;
      if (!isCurrent) return 'outdated';
      void this.#answerUnlessCommitted(pending, () => this.#finish(pending, { entry: null, duplicate: false }));
      return null;
    } catch (refusal) {
      if (!isCurrent) return 'outdated';
      void this.#answerUnlessCommitted(pending, () =>
        this.#fail(pending, pending.attemptUnknown ? outcomeUnknown(refusal) : refusal),
      );
      return null;
    }
  }

  #stamp(pending: PendingAppend, body: EntryBody, seq: number, boot: string): LogEntry {
    const { conversationId, senderId, clientMsgId, bodyHash } = pending.request;
    const fresh = this.#options.outbox.hold();
    // An earlier attempt of unknown outcome keeps its older hold: the watermark must not pass it.
    if (pending.hold) this.#options.outbox.release(fresh);
    else pending.hold = fresh;
    return { conversationId, seq, senderId, clientMsgId, body, bodyHash, at: fresh.at, by: boot };
  }

  async #insert(attempts: Attempt[], ordered: boolean): Promise<void> {
    const entries = attempts.map((attempt) => attempt.entry);
    const outcomes = await this.#options.store.insert(entries, ordered);
    this.#inFlight -= 1;
    const lanes = new Set(attempts.map((attempt) => attempt.lane));
    const again: PendingAppend[] = [];
    const behind = new Set<Lane>();
    attempts.forEach((attempt, index) => {
      const outcome = outcomes[index] ?? 'unknown';
      if (outcome === 'seq-taken' || outcome === 'unknown') behind.add(attempt.lane);
      if (!this.#conclude(attempt, outcome)) again.push(attempt.pending);
    });
    for (const pending of again.reverse()) {
      this.#options.lanes.acquire(pending.request.conversationId).queue.unshift(pending);
    }
    for (const lane of lanes) {
      lane.busy = false;
      if (behind.has(lane)) this.#occupy(lane, () => this.#catchUp(lane, true));
      else this.#wake(lane);
    }
    this.#schedule();
  }

  /** @returns whether the attempt was the last one of its append. */
  #conclude({ lane, pending, entry }: Attempt, outcome: InsertOutcome): boolean {
    if (!lane.state) throw new Error('a lane keeps its state while an attempt is under way');
    switch (outcome) {
      case 'inserted':
        applyEntry(lane.state, entry);
        lane.knownAt = entry.at;
        this.#publish(pending, entry, lane.state);
        this.#finish(pending, { entry, duplicate: false });
        return true;
      case 'id-taken':
        void this.#answerEarlier(pending);
        return true;
      case 'unknown':
        pending.attemptUnknown = true;
        return false;
      case 'seq-taken':
      case 'not-tried':
        return false;
      default:
        return outcome satisfies never;
    }
  }

  /** Runs one exclusive piece of work of a lane and wakes it afterwards. */
  #occupy(lane: Lane, work: () => Promise<void>): void {
    lane.busy = true;
    this.#ready.delete(lane);
    const done = (): void => {
      lane.busy = false;
      this.#wake(lane);
    };
    work().then(done, (error: unknown) => {
      this.#options.log.error({ err: error, conversationId: lane.id }, 'a conversation could not be brought on');
      // What is known of it may be wrong: it is read anew.
      lane.state = undefined;
      done();
    });
  }

  async #load(lane: Lane): Promise<void> {
    const asked = this.#asked;
    const now = this.#options.clock();
    try {
      lane.state = await this.#options.store.loadState(lane.id);
      lane.currentFor = asked;
      lane.knownAt = now;
    } catch (error) {
      await this.#backOff(lane, error);
    }
  }

  /**
   * Reads what was missed after the head: the next attempt is authorised against it.
   * @param isContended somebody took the seq, or an outcome is unknown.
   */
  async #catchUp(lane: Lane, isContended = false): Promise<void> {
    const state = lane.state as ConversationState;
    const asked = this.#asked;
    const now = this.#options.clock();
    let missed: LogEntry[];
    try {
      missed = await this.#options.store.readAfter(state.id, state.head, catchUpPage);
    } catch (error) {
      await this.#backOff(lane, error);
      return;
    }
    for (const entry of missed) applyEntry(state, entry);
    // Far behind it costs less to read the state than the entries that led to it.
    if (missed.length === catchUpPage) lane.state = undefined;
    else Object.assign(lane, { currentFor: asked, knownAt: now });
    // Whoever took the seq has not committed it yet: give it a moment.
    if (isContended && missed.length === 0) await this.#backOff(lane, undefined, 5);
  }

  /** Answers those that ran out of time, then waits with jitter. */
  async #backOff(lane: Lane, cause: unknown, baseMs = 50): Promise<void> {
    this.#failLate(lane, cause);
    await sleep(baseMs + this.#options.random() * baseMs * 2);
  }

  /** Answers those that ran out of time: nobody waits for them any more. */
  #failLate(lane: Lane, cause: unknown): void {
    const now = this.#options.clock();
    if (!lane.queue.some(({ request }) => request.deadline <= now)) return;
    for (const pending of lane.queue.splice(0)) {
      if (pending.request.deadline <= now) this.#fail(pending, outcomeUnknown(cause));
      else lane.queue.push(pending);
    }
  }

  /**
   * What the rules say now, unless this very request was committed before: a success is never reported as a failure,
   * and a repeat is answered with what the first one wrote.
   */
  async #answerUnlessCommitted(pending: PendingAppend, answer: () => void): Promise<void> {
    try {
      const earlier = await findEarlier(this.#options.store, pending.request);
      if (earlier) this.#finishEarlier(pending, earlier);
      else answer();
    } catch (error) {
      this.#fail(pending, error instanceof AppError ? error : outcomeUnknown(error));
    }
  }

  async #answerEarlier(pending: PendingAppend): Promise<void> {
    try {
      this.#finishEarlier(pending, await awaitEarlier(this.#options.store, pending.request, this.#options.clock));
    } catch (error) {
      this.#fail(pending, error instanceof AppError ? error : outcomeUnknown(error));
    }
  }

  /** Answers with the entry under the request's clientMsgId, which may be the one of an unknown attempt of our own. */
  #finishEarlier(pending: PendingAppend, earlier: LogEntry): void {
    // Without a state: the one there is may be of another time than the entry.
    if (pending.attemptUnknown) this.#publish(pending, earlier, undefined);
    this.#finish(pending, { entry: earlier, duplicate: !pending.attemptUnknown });
  }

  /** Hands a committed entry on, with its hold. */
  #publish(pending: PendingAppend, entry: LogEntry, state: ConversationState | undefined): void {
    if (!pending.hold) return;
    this.#options.onCommitted(entry, pending.hold, pending.request.traceId, state);
    pending.hold = undefined;
  }

  #finish(pending: PendingAppend, result: AppendResult): void {
    pending.resolve(result);
    this.#leave(pending);
  }

  #fail(pending: PendingAppend, error: unknown): void {
    pending.reject(error);
    this.#leave(pending);
  }

  #leave(pending: PendingAppend): void {
    if (pending.hold) {
      if (pending.attemptUnknown) this.#options.unknown.add(pending.request, pending.hold);
      else this.#options.outbox.release(pending.hold);
    }
    this.#open -= 1;
    if (this.#open === 0) this.#whenIdle?.();
  }
}
