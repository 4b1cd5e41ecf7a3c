import type { Clock } from '@bluewave/runtime/clock';
import type { Logger } from '@bluewave/runtime/logger';
import type { EntryPublisher } from '../events/entry-publisher.ts';
import type { LogWriter } from '../log/log-writer.ts';
import type { ProjectionStore } from '../log/projections.ts';
import type { ReadStore } from '../reading/read-store.ts';
import type { PointerWriter } from '../receipts/pointer-writer.ts';

/** What the handlers of the chat service stand on. */
export type ChatDeps = {
  writer: LogWriter;
  publisher: EntryPublisher;
  projections: ProjectionStore;
  pointers: PointerWriter;
  reads: ReadStore;
  clock: Clock;
  log: Logger;
  memberLimit: number;
  editWindowMs: number;
};
