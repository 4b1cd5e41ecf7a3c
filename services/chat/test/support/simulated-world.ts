import { entryCommitted } from '@bluewave/events/codec';
import type { LogEntry } from '../../src/log/entry.ts';
import { MemoryLog } from './memory-log.ts';
import { randomFrom } from './virtual-time.ts';

/** Chances in [0, 1] of what goes wrong, each time it could. */
export type Troubles = {
  /** The outcome of an insert is not learned: it was written, was not, or is written later. */
  unknownInsert: number;
  /** One of the documents of a batch is refused for a reason that says nothing. */
  unknownDocument: number;
  failedRead: number;
  /** An access takes seconds. */
  slow: number;
  lostPublish: number;
  failover: number;
};

export const mostLateMs = 15_000;

/** Times in milliseconds from the beginning. */
export type Outage = { from: number; ms: number };

/** Everything outside of the processes: the database, the bus, chance, and what was seen. */
export class SimulatedWorld {
  readonly log = new MemoryLog();
  readonly random: () => number;
  readonly published = new Set<string>();
  readonly faults: string[] = [];
  /** Changes with each failover: answers of before are not to be had any more. */
  term = 0;
  #troubles: Troubles;
  readonly #storeOutages: Outage[];
  readonly #busOutages: Outage[];
  readonly #lateMs: number | undefined;
  readonly #began = Date.now();
  #calm = false;
  /** Boot -> the highest watermark that was written for it. */
  readonly #watermarks = new Map<string, number>();

  /** @param lateMs how late every write arrives whose sender does not hear of it; by chance when undefined. */
  constructor(seed: number, troubles: Troubles, storeOutages: Outage[], busOutages: Outage[], lateMs?: number) {
    this.random = randomFrom(seed);
    this.#lateMs = lateMs;
    this.#troubles = troubles;
    this.#storeOutages = storeOutages;
    this.#busOutages = busOutages;
  }

  /** From here on nothing goes wrong any more. */
  calm(): void {
    this.#calm = true;
  }

  happens(trouble: keyof Troubles): boolean {
    return !this.#calm && this.random() < this.#troubles[trouble];
  }

  between(least: number, most: number): number {
    return Math.floor(least + this.random() * (most - least + 1));
  }

  get storeIsUp(): boolean {
    return !this.#storeOutages.some((outage) => this.isDuring(outage));
  }

  get busIsUp(): boolean {
    return !this.#busOutages.some((outage) => this.isDuring(outage));
  }

  isDuring({ from, ms }: Outage): boolean {
    const now = Date.now() - this.#began;
    return !this.#calm && now >= from && now < from + ms;
  }

  /** How late a write arrives whose sender does not hear of it: now and then after its lease, never after two. */
  lateness(): number {
    if (this.#lateMs !== undefined) return this.#lateMs;
    return this.random() < 0.2 ? this.between(4_000, mostLateMs) : this.between(0, 4_000);
  }

  /** A process is about to write: it must hold the lease of the boot that it writes as. */
  noteInsert(entries: readonly LogEntry[], skewMs: number): void {
    for (const { by, seq } of entries) {
      const leaseUntil = this.log.boots.get(by)?.leaseUntil ?? 0;
      if (Date.now() + skewMs >= leaseUntil) this.faults.push(`seq ${seq} was written without a lease`);
    }
  }

  failOver(): void {
    this.term += 1;
    this.log.rollBack();
  }

  /** The stream holds a message: it must say what its id says. */
  hold(id: string, data: Uint8Array): void {
    const { entry } = entryCommitted.decode(data);
    if (`${entry?.conversationId}:${entry?.seq}` !== id) this.faults.push(`${id} was published with another entry`);
    this.published.add(id);
  }

  /** An entry was written: its process must not have said before that everything of this time is done. */
  noteWritten(entry: LogEntry, boots: readonly string[]): void {
    for (const boot of boots) {
      const watermark = this.#watermarks.get(boot) ?? 0;
      if (entry.at < watermark) this.faults.push(`seq ${entry.seq} was written at ${entry.at}, below ${watermark}`);
    }
  }

  /** A process says that everything it wrote before is done: so it must be. */
  noteWatermark(boot: string, watermark: number, boots: readonly string[]): void {
    this.#watermarks.set(boot, Math.max(watermark, this.#watermarks.get(boot) ?? 0));
    for (const entry of this.log.committed()) {
      if (entry.at >= watermark || !boots.includes(entry.by) || this.isDone(entry)) continue;
      this.faults.push(`watermark ${watermark} passed seq ${entry.seq} of ${entry.at}, which is not done`);
    }
  }

  isDone(entry: LogEntry): boolean {
    return this.published.has(`${entry.conversationId}:${entry.seq}`) && this.#isProjected(entry);
  }

  #isProjected({ conversationId, seq, body }: LogEntry): boolean {
    if (body.type === 'message:new') return true;
    if (!('target' in body)) {
      return (this.log.conversations.get(conversationId)?.appliedSeq ?? 0) >= seq;
    }
    const [target] = this.log.after(conversationId, body.target - 1, 1);
    if (target?.body.type !== 'message:new') return false;
    if (body.type === 'message:deleted') return target.body.deletedAt !== null;
    if (body.type === 'message:edited') return (target.body.edits ?? []).includes(seq);
    return target.body.counts !== undefined || target.body.pinned !== undefined;
  }
}
