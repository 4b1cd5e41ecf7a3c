import { createSyncCore, type SyncEffect } from '@bluewave/sdk';

type Step =
  | { do: 'append' | 'remove' | 'add' | 'newEpoch'; conversation: number }
  | { do: 'archive'; conversation: number; pick: number }
  | { do: 'deliver' | 'double' | 'lose' | 'timer'; pick: number }
  | { do: 'answer' | 'fail' | 'reconnect' };

export type NetworkPlan = { window: number; pageLimit: number; steps: Step[] };

type Entry = { conversationId: string; seq: number; epoch: number };
type View = { id: string; head: number; me?: { firstSeq: number } };
type Effect = SyncEffect<Entry, View>;
/** `firstSeq`: where history begins for the device's user; `begins`: where it ever did. */
type Log = { head: number; epoch: number; member: boolean; firstSeq: number; begins: Set<number> };
type Event = { type: 'entry'; entry: Entry } | { type: 'added'; id: string } | { type: 'removed'; id: string };
type Result = { violations: string[]; have: Record<string, number>; heads: Record<string, number> };

/** Whoever comes anew sees these from then on only; of the second the views do not say from where. */
const showsFromJoining = ['c1', 'c2'];
const tellsFirstSeq = 'c1';

/**
 * A server with logs, a network that loses, doubles and reorders, and one device: plays a plan, then lets everything
 * settle over a good connection.
 */
export function runNetwork(plan: NetworkPlan): Result {
  const world = new World(plan);
  for (const step of plan.steps) world.step(step);
  world.settle();
  return world.result();
}

class World {
  readonly #logs = new Map<string, Log>(
    ['c0', 'c1', 'c2'].map((id) => [id, { head: 0, epoch: 1, member: true, firstSeq: 1, begins: new Set([1]) }]),
  );
  readonly #core;
  readonly #plan: NetworkPlan;
  #events: Event[] = [];
  #request: Extract<Effect, { type: 'sync' }> | undefined;
  #timers: Effect[] = [];
  /** What the callback saw last of each conversation. */
  readonly #seen = new Map<string, number>();
  readonly #violations: string[] = [];

  constructor(plan: NetworkPlan) {
    this.#plan = plan;
    this.#core = createSyncCore<Entry, View>({ window: plan.window });
    this.#carryOut(this.#core.handle({ type: 'connected' }));
  }

  step(step: Step): void {
    switch (step.do) {
      case 'append':
        return this.#append(`c${step.conversation}`);
      case 'remove':
        return this.#setMember(`c${step.conversation}`, false);
      case 'add':
        return this.#setMember(`c${step.conversation}`, true);
      case 'archive':
        return this.#archive(`c${step.conversation}`, step.pick);
      case 'newEpoch':
        return this.#beginEpoch(`c${step.conversation}`);
      case 'deliver':
      case 'double':
      case 'lose':
        return this.#network(step.do, step.pick);
      case 'answer':
        return this.#answer();
      case 'fail':
        return this.#fail();
      case 'timer':
        return this.#fire(step.pick);
      case 'reconnect':
        return this.#reconnect();
    }
  }

  /** A good connection, as often as it takes; heartbeats tell when the heads differ. */
  settle(): void {
    this.#reconnect();
    for (let round = 0; round < 2_000; round += 1) {
      if (this.#events.length > 0) this.#network('deliver', 0);
      else if (this.#request) this.#answer();
      else if (this.#timers.length > 0) this.#fire(0);
      else if (JSON.stringify(this.result().have) !== JSON.stringify(this.result().heads)) {
        this.#carryOut(this.#core.handle({ type: 'resync' }));
      } else return;
    }
    this.#violations.push('it never settled');
  }

  result(): Result {
    const members = [...this.#logs].filter(([, { member }]) => member);
    const heads = Object.fromEntries(members.map(([id, { head }]) => [id, head]));
    const have = this.#core.heads();
    return {
      violations: this.#violations,
      have: Object.fromEntries(Object.keys(heads).map((id) => [id, have[id] ?? -1])),
      heads,
    };
  }

  #log(id: string): Log {
    const log = this.#logs.get(id);
    if (!log) throw new Error(`no log ${id}`);
    return log;
  }

  #append(id: string): void {
    const log = this.#log(id);
    log.head += 1;
    if (log.member)
      this.#events.push({ type: 'entry', entry: { conversationId: id, seq: log.head, epoch: log.epoch } });
  }

  #setMember(id: string, member: boolean): void {
    const log = this.#log(id);
    if (log.member === member) return;
    log.member = member;
    if (member && showsFromJoining.includes(id)) {
      this.#beginAt(log, log.head + 1);
      this.#append(id);
    }
    // A removed member is told nothing more; events that are on their way arrive or do not.
    this.#events.push({ type: member ? 'added' : 'removed', id });
  }

  /** What is old leaves the log from its beginning, never its last entry; nobody is told. */
  #archive(id: string, pick: number): void {
    const log = this.#log(id);
    if (log.head > 0) this.#beginAt(log, Math.max(log.firstSeq, 1 + (pick % log.head)));
  }

  #beginAt(log: Log, seq: number): void {
    log.firstSeq = seq;
    log.begins.add(seq);
  }

  /** The log is lost and begins anew, shorter than devices know it; they notice when they connect. */
  #beginEpoch(id: string): void {
    const log = this.#log(id);
    const known = Math.max(this.#core.heads()[id] ?? 0, this.#seen.get(id) ?? 0);
    if (known < 1) return;
    this.#events = this.#events.filter((event) => event.type !== 'entry' || event.entry.conversationId !== id);
    log.head = known - 1;
    log.firstSeq = 1;
    log.epoch += 1;
    this.#request = undefined;
    this.#reconnect();
    while (this.#request) this.#answer();
  }

  #network(what: 'deliver' | 'double' | 'lose', pick: number): void {
    const at = this.#events.length === 0 ? -1 : pick % this.#events.length;
    const event = this.#events[at];
    if (!event) return;
    if (what !== 'double') this.#events.splice(at, 1);
    if (what !== 'lose') this.#deliver(event);
  }

  #deliver(event: Event): void {
    if (event.type === 'entry') return this.#carryOut(this.#core.handle(event));
    const log = this.#log(event.id);
    // Like the platform, which tells of a membership as it is now.
    if (log.member !== (event.type === 'added')) return;
    if (log.member) this.#carryOut(this.#core.handle({ type: 'added', conversation: this.#view(event.id) }));
    else this.#carryOut(this.#core.handle({ type: 'removed', conversationId: event.id }));
  }

  #view(id: string): View {
    const { head, firstSeq } = this.#log(id);
    return { id, head, ...(id === tellsFirstSeq ? { me: { firstSeq } } : {}) };
  }

  #answer(): void {
    const asked = this.#request;
    if (!asked) return;
    this.#request = undefined;
    const limit = Math.min(this.#plan.pageLimit, asked.limit);
    const members = [...this.#logs].filter(([, { member }]) => member);
    const conversations = members.map(([id, { head, epoch, firstSeq }]) => {
      const after = Math.max(asked.cursors[id] ?? 0, firstSeq - 1);
      const count = Math.max(0, Math.min(limit, head - after));
      const entries = Array.from({ length: count }, (_, at) => ({ conversationId: id, seq: after + 1 + at, epoch }));
      return { conversation: this.#view(id), entries, hasMore: after + count < head };
    });
    const removed = Object.keys(asked.cursors).filter((id) => !this.#log(id).member);
    const answer = { conversations, removed, token: 't' };
    this.#carryOut(this.#core.handle({ type: 'answer', request: asked.request, answer }));
  }

  #fail(): void {
    const asked = this.#request;
    this.#request = undefined;
    if (asked) this.#carryOut(this.#core.handle({ type: 'failed', request: asked.request, slow: false }));
  }

  #fire(pick: number): void {
    const [timer] = this.#timers.length === 0 ? [] : this.#timers.splice(pick % this.#timers.length, 1);
    if (timer?.type === 'retry') this.#carryOut(this.#core.handle({ type: 'retry' }));
    if (timer?.type === 'hold') {
      this.#carryOut(this.#core.handle({ type: 'holdOver', conversationId: timer.conversationId }));
    }
  }

  #reconnect(): void {
    this.#request = undefined;
    this.#events = [];
    this.#carryOut(this.#core.handle({ type: 'disconnected' }));
    this.#carryOut(this.#core.handle({ type: 'connected' }));
  }

  #carryOut(effects: Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'follow') this.#seen.set(effect.conversationId, effect.have);
      if (effect.type === 'forget') this.#seen.delete(effect.conversationId);
      if (effect.type === 'apply') this.#see(effect.entry);
      if (effect.type === 'hold' || effect.type === 'retry') this.#timers.push(effect);
      if (effect.type === 'sync') this.#request = effect;
    }
  }

  #see({ conversationId, seq, epoch }: Entry): void {
    const before = this.#seen.get(conversationId);
    const log = this.#log(conversationId);
    if (before === undefined) this.#violations.push(`${conversationId}:${seq} of a conversation that is not followed`);
    else if (seq !== before + 1 && (!log.begins.has(seq) || seq <= before))
      this.#violations.push(`${conversationId}:${seq} came after ${before}`);
    if (epoch > log.epoch || seq > log.head) this.#violations.push(`${conversationId}:${seq} is in no log`);
    this.#seen.set(conversationId, seq);
  }
}
