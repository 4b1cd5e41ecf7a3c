import type { Clock } from '@bluewave/runtime/clock';
import type { ObjectStore } from '../uploads/object-store.ts';
import type { Announcer } from '../uploads/outbound.ts';
import type { Deadline, UploadStore } from '../uploads/upload-store.ts';
import { cleanUpAt, objectKeys, type Upload, type UploadRules } from '../uploads/upload.ts';

export type TellParts = {
  store: UploadStore;
  objects: ObjectStore;
  announcer: Announcer;
  clock: Clock;
  rules: UploadRules;
};

const againMs = 2_000;

/**
 * What follows a committed outcome, as often as it takes: others are told, the record says so, and quarantine is
 * emptied. @returns 0, or in how many milliseconds to try again when nobody could be told.
 */
export async function tellOutcome(parts: TellParts, upload: Upload, by: Deadline): Promise<number> {
  if (upload.announced) return 0;
  if (!parts.announcer.announce(upload)) return againMs;
  const dueAt = cleanUpAt(upload, parts.rules, parts.clock());
  await parts.store.save({ ...upload, announced: true, dueAt }, by);
  // Should this fail, the sweeper does it at `dueAt`.
  await parts.objects.remove(objectKeys(upload.id).quarantine, by);
  return 0;
}
