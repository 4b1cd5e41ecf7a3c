import { AppError, notFound } from '@bluewave/errors/app-error';
import type { Clock } from '@bluewave/runtime/clock';
import type { Logger } from '@bluewave/runtime/logger';
import type { UploadOf } from './confirm-upload.ts';
import type { ObjectStore } from './object-store.ts';
import type { UploadMeter } from './outbound.ts';
import type { Deadline, UploadStore } from './upload-store.ts';
import { cleanUpAt, objectKeys, type UploadRules } from './upload.ts';

export type DeleteParts = {
  store: UploadStore;
  objects: ObjectStore;
  meter: UploadMeter;
  clock: Clock;
  rules: UploadRules;
  log: Logger;
};

const maxRaces = 5;

/**
 * Removes an upload of the actor with its objects. Idempotent while its tombstone stands, which is until nothing can be
 * written to its keys any more. @throws AppError NOT_FOUND.
 */
export async function deleteUpload(parts: DeleteParts, { actorId, uploadId }: UploadOf, by: Deadline): Promise<void> {
  for (let race = 0; race < maxRaces; race++) {
    const upload = await parts.store.find(uploadId, by);
    if (!upload || upload.ownerId !== actorId) throw notFound();
    if (upload.status === 'deleted') return;
    const dueAt = cleanUpAt(upload, parts.rules, parts.clock());
    const saved = await parts.store.save({ ...upload, status: 'deleted', dueAt }, by);
    if (!saved) continue;
    parts.meter.outcome(saved.kind, 'deleted');
    return removeNow(parts, saved.id, by);
  }
  throw new AppError('UNAVAILABLE', 'The upload is being changed by others. Try again.', { retryAfterMs: 200 });
}

/** The record says that it is gone; should the storage not answer, the sweeper removes the bytes. */
async function removeNow(parts: DeleteParts, uploadId: string, by: Deadline): Promise<void> {
  const removals = Object.values(objectKeys(uploadId)).map((key) => parts.objects.remove(key, by));
  for (const result of await Promise.allSettled(removals)) {
    if (result.status === 'rejected') parts.log.warn({ err: result.reason, uploadId }, 'an object stays until swept');
  }
}
