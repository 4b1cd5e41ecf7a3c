import { AppError, notFound } from '@bluewave/errors/app-error';
import type { Clock } from '@bluewave/runtime/clock';
import type { Logger } from '@bluewave/runtime/logger';
import type { ObjectStore, StoredObject } from './object-store.ts';
import type { UploadMeter, WorkQueue } from './outbound.ts';
import type { Deadline, UploadStore } from './upload-store.ts';
import { cleanUpAt, objectKeys, type Upload, type UploadRules } from './upload.ts';
import { refuseBytes, sniffBytes } from './verify-bytes.ts';

export type ConfirmParts = {
  store: UploadStore;
  objects: ObjectStore;
  queue: WorkQueue;
  meter: UploadMeter;
  clock: Clock;
  rules: UploadRules;
  log: Logger;
};

export type UploadOf = { actorId: string; uploadId: string };

/** Losing this many races in a row means that something else is wrong. */
const maxRaces = 5;

/**
 * Compares what was stored with what was declared and hands it to processing. Idempotent; of concurrent calls one
 * decides and the others answer the same.
 * @returns the upload, `processing` or further. @throws AppError NOT_FOUND, UPLOAD_MISSING, UPLOAD_REJECTED,
 * UPLOAD_EXPIRED.
 */
export async function confirmUpload(
  parts: ConfirmParts,
  { actorId, uploadId }: UploadOf,
  traceId: string,
  by: Deadline,
): Promise<Upload> {
  for (let race = 0; race < maxRaces; race++) {
    const upload = await parts.store.find(uploadId, by);
    if (!upload || upload.ownerId !== actorId || upload.status === 'deleted') throw notFound();
    if (upload.status === 'rejected') throw rejection(upload.reason);
    if (upload.status !== 'pending') return upload;
    const settled = await settle(parts, upload, traceId, by);
    if (settled) return settled;
  }
  throw new AppError('UNAVAILABLE', 'The upload is being changed by others. Try again.', { retryAfterMs: 200 });
}

/** Decides about a pending upload; undefined when somebody else did meanwhile. */
async function settle(parts: ConfirmParts, upload: Upload, traceId: string, by: Deadline): Promise<Upload | undefined> {
  const { objects, rules } = parts;
  const now = parts.clock();
  if (now > upload.expiresAt + rules.lateMs) throw expired();
  const key = objectKeys(upload.id).quarantine;
  const stored = await objects.head(key, by);
  if (!stored) return missing(parts, upload, now, by);
  const mismatch = refuseStored(upload, stored);
  if (mismatch !== undefined) return reject(parts, upload, mismatch, by);
  const start = await objects.readStart(key, stored.etag, sniffBytes, by);
  if (!start) return missing(parts, upload, now, by);
  const reason = await refuseBytes(upload.declared.contentType, start);
  return reason === undefined ? accept(parts, upload, stored, traceId, by) : reject(parts, upload, reason, by);
}

/** Processing and refusal remove the object: that it is absent counts only while the record is unchanged. */
async function missing(parts: ConfirmParts, upload: Upload, now: number, by: Deadline): Promise<undefined> {
  const current = await parts.store.find(upload.id, by);
  if (current?.version !== upload.version) return undefined;
  if (now > upload.expiresAt) throw expired();
  throw new AppError('UPLOAD_MISSING', 'Nothing was stored yet: PUT the file to its URL, then confirm.');
}

function refuseStored({ declared }: Upload, stored: StoredObject): string | undefined {
  if (stored.size !== declared.size) {
    return `${stored.size} bytes were stored, ${declared.size} were declared: the transfer was cut off or changed.`;
  }
  if (declared.sha256 !== '' && stored.sha256 !== '' && stored.sha256 !== declared.sha256) {
    return 'The stored bytes do not have the declared checksum.';
  }
  return undefined;
}

async function accept(
  parts: ConfirmParts,
  upload: Upload,
  stored: StoredObject,
  traceId: string,
  by: Deadline,
): Promise<Upload | undefined> {
  const now = parts.clock();
  const saved = await parts.store.save(
    {
      ...upload,
      status: 'processing',
      etag: stored.etag,
      checksumVerified: upload.declared.sha256 === '' || stored.sha256 !== '',
      confirmedAt: now,
      enqueued: 1,
      // Should the queue not take it, or this process end here, the sweeper queues it.
      dueAt: now + parts.rules.requeueMs,
    },
    by,
  );
  if (!saved) return undefined;
  parts.meter.outcome(saved.kind, 'confirmed');
  void parts.queue.enqueue(saved, traceId).then((queued) => {
    if (!queued) parts.log.warn({ uploadId: saved.id, traceId }, 'work could not be queued; the sweeper will do it');
  });
  return saved;
}

async function reject(parts: ConfirmParts, upload: Upload, reason: string, by: Deadline): Promise<undefined> {
  const now = parts.clock();
  const dueAt = cleanUpAt(upload, parts.rules, now);
  const saved = await parts.store.save({ ...upload, status: 'rejected', reason, announced: true, dueAt }, by);
  if (!saved) return undefined;
  parts.meter.outcome(saved.kind, 'rejected');
  try {
    await parts.objects.remove(objectKeys(upload.id).quarantine, by);
  } catch (error) {
    parts.log.warn({ err: error, uploadId: upload.id }, 'a refused object stays until it is swept');
  }
  throw rejection(reason);
}

function rejection(reason: string): AppError {
  return new AppError('UPLOAD_REJECTED', `${reason} Make a new upload.`);
}

function expired(): AppError {
  return new AppError('UPLOAD_EXPIRED', 'The time for this upload is over. Make a new one.');
}
