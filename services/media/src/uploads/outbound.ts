import type { Upload } from './upload.ts';

/** The durable queue of processing work. */
export type WorkQueue = {
  /** Queues once per `upload.enqueued`; resolves false when that is not known. Never throws. */
  enqueue(upload: Upload, traceId: string): Promise<boolean>;
};

/** Tells other services and the owner's clients what became of an upload. */
export type Announcer = {
  /** @returns false when nobody could be told now. */
  announce(upload: Upload): boolean;
};

/** What operators count. */
export type UploadMeter = {
  /** An upload was created, confirmed, ready, rejected, deleted or expired. */
  outcome(kind: Upload['kind'], outcome: 'created' | 'confirmed' | 'ready' | 'rejected' | 'deleted' | 'expired'): void;
  processed(kind: Upload['kind'], seconds: number): void;
  queueAge(seconds: number): void;
};
