import type { Clock } from '@bluewave/runtime/clock';
import { newTraceId } from '@bluewave/runtime/ids';
import type { Logger } from '@bluewave/runtime/logger';
import type { ObjectStore } from '../uploads/object-store.ts';
import type { Announcer, UploadMeter, WorkQueue } from '../uploads/outbound.ts';
import type { Deadline, UploadStore } from '../uploads/upload-store.ts';
import { objectKeys, type Upload, type UploadRules } from '../uploads/upload.ts';
import { tellOutcome } from './tell-outcome.ts';

export type SweepRules = {
  /** Between two rounds. */
  everyMs: number;
  /** Records of one round. */
  batch: number;
  /** How long a replica has a record to itself. */
  claimMs: number;
};

export const defaultSweepRules: SweepRules = { everyMs: 5_000, batch: 50, claimMs: 60_000 };

export type SweepParts = {
  store: UploadStore;
  objects: ObjectStore;
  queue: WorkQueue;
  announcer: Announcer;
  meter: UploadMeter;
  clock: Clock;
  rules: UploadRules;
  sweep: SweepRules;
  log: Logger;
};

const longestRequeueMs = 10 * 60_000;

/**
 * Looks after uploads that a client or a crash left behind: queues forgotten work again, repeats announcements that
 * nobody heard, and removes the objects and records of what expired or was deleted. Any number of replicas may run it:
 * each record is claimed first.
 */
export class Sweeper {
  readonly #parts: SweepParts;
  readonly #timer: NodeJS.Timeout;
  #round: Promise<void> | undefined;
  #closed = false;

  constructor(parts: SweepParts) {
    this.#parts = parts;
    // Replicas that were started together do not stay in step.
    const everyMs = parts.sweep.everyMs * (0.8 + Math.random() * 0.4);
    this.#timer = setInterval(() => this.wake(), everyMs);
  }

  /** Starts a round unless one is under way. */
  wake(): void {
    if (this.#closed || this.#round) return;
    this.#round = this.#sweep().finally(() => (this.#round = undefined));
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#round;
  }

  async #sweep(): Promise<void> {
    const { store, clock, sweep, meter, log } = this.#parts;
    try {
      const by = { deadline: clock() + sweep.claimMs };
      const oldest = await store.oldestProcessing(by);
      meter.queueAge(oldest === undefined ? 0 : Math.max(0, clock() - oldest) / 1000);
      const due = await store.findDue(clock(), sweep.batch, by);
      for (const upload of shuffled(due)) {
        if (this.#closed) return;
        await this.#lookAfter(upload, by);
      }
    } catch (error) {
      log.warn({ err: error }, 'a sweep failed; the next one goes on');
    }
  }

  async #lookAfter(upload: Upload, by: Deadline): Promise<void> {
    try {
      await sweepUpload(this.#parts, upload, by);
    } catch (error) {
      this.#parts.log.warn({ err: error, uploadId: upload.id }, 'an upload could not be swept; tried again later');
    }
  }
}

/** What is due for one upload. Exported for tests of each step. */
export async function sweepUpload(parts: SweepParts, due: Upload, by: Deadline): Promise<void> {
  const now = parts.clock();
  if (due.status === 'processing') return requeue(parts, due, now, by);
  const expired = due.status === 'pending';
  const claim: Upload = { ...due, status: expired ? 'deleted' : due.status, dueAt: now + parts.sweep.claimMs };
  const claimed = await parts.store.save(claim, by);
  if (!claimed) return;
  if (expired) parts.meter.outcome(due.kind, 'expired');
  if (claimed.status === 'ready' || claimed.status === 'rejected') {
    if (!claimed.announced) return void (await tellOutcome(parts, claimed, by));
  }
  const { quarantine, content, thumbnail } = objectKeys(due.id);
  const served = claimed.status === 'ready' ? [] : [content, thumbnail];
  await Promise.all([quarantine, ...served].map((key) => parts.objects.remove(key, by)));
  if (claimed.status === 'deleted') await parts.store.remove(claimed, by);
  else await parts.store.save({ ...claimed, dueAt: null }, by);
}

async function requeue(parts: SweepParts, due: Upload, now: number, by: Deadline): Promise<void> {
  const backOff = Math.min(longestRequeueMs, parts.rules.requeueMs * 2 ** Math.min(due.enqueued, 10));
  const saved = await parts.store.save({ ...due, enqueued: due.enqueued + 1, dueAt: now + backOff }, by);
  if (!saved) return;
  const queued = await parts.queue.enqueue(saved, newTraceId());
  if (!queued) await parts.store.save({ ...saved, enqueued: due.enqueued, dueAt: now + parts.rules.requeueMs }, by);
}

/** Replicas that found the same records begin at different ones. */
function shuffled<T>(items: T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((one, other) => one.order - other.order)
    .map(({ item }) => item);
}
