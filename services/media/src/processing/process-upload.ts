import { createHash } from 'node:crypto';
import { AppError } from '@bluewave/errors/app-error';
import type { Clock } from '@bluewave/runtime/clock';
import type { Logger } from '@bluewave/runtime/logger';
import type { ObjectStore } from '../uploads/object-store.ts';
import type { Announcer, UploadMeter } from '../uploads/outbound.ts';
import type { Deadline, UploadStore } from '../uploads/upload-store.ts';
import { objectKeys, type Upload, type UploadRules } from '../uploads/upload.ts';
import type { ImageRenderer, RenderLimits } from './render-image.ts';
import { tellOutcome } from './tell-outcome.ts';
import { UnusableUpload } from './unusable-upload.ts';
import { leased, UploadLease } from './upload-lease.ts';

export type ProcessRules = {
  /** The longest that one job may take. */
  jobMs: number;
  /** How long a worker that is not heard of keeps an upload. */
  leaseMs: number;
  /** Attempts after which an upload that brings workers down is given up. */
  maxAttempts: number;
  render: RenderLimits;
};

export type ProcessParts = {
  store: UploadStore;
  objects: ObjectStore;
  announcer: Announcer;
  renderImage: ImageRenderer;
  meter: UploadMeter;
  clock: Clock;
  rules: UploadRules;
  process: ProcessRules;
  log: Logger;
};

/** 0: nothing more to do with this message; else in how many milliseconds to try again. */
export type RetryAfterMs = number;

/** What processing makes known about an upload. */
type Promoted = Pick<Upload, 'contentType' | 'size' | 'width' | 'height' | 'thumbhash' | 'hasThumbnail'>;

/**
 * Brings one confirmed upload from quarantine to where it is served, or rejects it. May be repeated and may end at any
 * await: the record changes only when all bytes are in place, and quarantine is emptied only after that.
 */
export async function processUpload(parts: ProcessParts, uploadId: string, traceId: string): Promise<RetryAfterMs> {
  const started = parts.clock();
  const by = { deadline: started + parts.process.jobMs };
  const found = await parts.store.find(uploadId, by);
  if (found?.status === 'ready' || found?.status === 'rejected') return tellOutcome(parts, found, by);
  if (found?.status !== 'processing' || found.leaseUntil > started) return 0;
  if (found.attempts >= parts.process.maxAttempts) {
    return reject(parts, found, 'The file could not be processed.', by);
  }
  const counted = { ...found, attempts: found.attempts + 1 };
  const claimed = await parts.store.save(leased(counted, started, parts.process.leaseMs), by);
  return claimed ? attempt(parts, claimed, traceId, by) : 0;
}

async function attempt(parts: ProcessParts, claimed: Upload, traceId: string, by: Deadline): Promise<RetryAfterMs> {
  const started = parts.clock();
  const lease = new UploadLease(parts, parts.process.leaseMs, claimed);
  const promote = claimed.kind === 'image' ? promoteImage : promoteFile;
  const outcome = await promote(parts, claimed, by).catch((error: unknown) => ({ error }));
  const upload = await lease.release();
  const about = { uploadId: claimed.id, traceId, attempt: claimed.attempts };
  if (!upload) return abandon(parts, claimed.id, by);
  if (!('error' in outcome)) {
    parts.meter.processed(upload.kind, (parts.clock() - started) / 1000);
    return finish(parts, { ...upload, ...outcome, status: 'ready' }, by);
  }
  if (outcome.error instanceof UnusableUpload) {
    parts.log.info({ err: outcome.error, ...about }, 'an upload is unusable');
    return reject(parts, upload, outcome.error.message, by);
  }
  parts.log.warn({ err: outcome.error, ...about }, 'processing failed');
  return release(parts, upload, outcome.error, by);
}

async function promoteImage(parts: ProcessParts, upload: Upload, by: Deadline): Promise<Promoted> {
  const keys = objectKeys(upload.id);
  const bytes = await parts.objects.read(keys.quarantine, upload.etag, by);
  if (!bytes) throw gone();
  if (!upload.checksumVerified) refuseChecksum(upload, createHash('sha256').update(bytes).digest('hex'));
  const image = await parts.renderImage(bytes, upload.declared.contentType);
  await Promise.all([
    parts.objects.put(keys.content, image.content, image.contentType, by),
    parts.objects.put(keys.thumbnail, image.thumbnail, 'image/webp', by),
  ]);
  const { contentType, width, height, thumbhash } = image;
  return { contentType, size: image.content.length, width, height, thumbhash, hasThumbnail: true };
}

async function promoteFile(parts: ProcessParts, upload: Upload, by: Deadline): Promise<Promoted> {
  const keys = objectKeys(upload.id);
  if (!upload.checksumVerified) {
    // The storage kept no checksum: the bytes are read once more.
    const digest = await parts.objects.sha256(keys.quarantine, upload.etag, by);
    if (digest === undefined) throw gone();
    refuseChecksum(upload, digest);
  }
  const copied = await parts.objects.copy(keys.quarantine, upload.etag, keys.content, upload.contentType, by);
  if (!copied) throw gone();
  const { contentType, size, width, height, thumbhash, hasThumbnail } = upload;
  return { contentType, size, width, height, thumbhash, hasThumbnail };
}

function gone(): UnusableUpload {
  return new UnusableUpload('The stored bytes are gone or were changed.');
}

function refuseChecksum(upload: Upload, digest: string): void {
  if (digest === upload.declared.sha256) return;
  throw new UnusableUpload('The stored bytes do not have the declared checksum.');
}

function reject(parts: ProcessParts, upload: Upload, reason: string, by: Deadline): Promise<RetryAfterMs> {
  return finish(parts, { ...upload, status: 'rejected', reason }, by);
}

/** Commits the outcome, then removes what it makes superfluous and tells everybody. */
async function finish(parts: ProcessParts, decided: Upload, by: Deadline): Promise<RetryAfterMs> {
  const dueAt = parts.clock() + parts.rules.requeueMs;
  const saved = await parts.store.save({ ...decided, leaseUntil: 0, announced: false, dueAt }, by);
  if (!saved) return abandon(parts, decided.id, by);
  parts.meter.outcome(saved.kind, saved.status === 'ready' ? 'ready' : 'rejected');
  return tellOutcome(parts, saved, by);
}

/** Somebody changed the record meanwhile: when it was deleted, what was promoted must not outlive it. */
async function abandon(parts: ProcessParts, uploadId: string, by: Deadline): Promise<RetryAfterMs> {
  const current = await parts.store.find(uploadId, by);
  if (current && current.status !== 'deleted') return 0;
  const { content, thumbnail } = objectKeys(uploadId);
  await Promise.all([parts.objects.remove(content, by), parts.objects.remove(thumbnail, by)]);
  return 0;
}

/** Gives the upload back. An attempt that failed because the storage was away does not count against it. */
async function release(parts: ProcessParts, upload: Upload, error: unknown, by: Deadline): Promise<RetryAfterMs> {
  const innocent = error instanceof AppError && error.code === 'UNAVAILABLE';
  const attempts = innocent ? upload.attempts - 1 : upload.attempts;
  const waitMs = Math.min(30_000, 1_000 * 2 ** upload.attempts);
  const dueAt = parts.clock() + waitMs + parts.rules.requeueMs;
  const late = { deadline: Math.max(by.deadline, parts.clock() + 2_000) };
  const saved = await parts.store.save({ ...upload, attempts, leaseUntil: 0, dueAt }, late);
  return saved ? waitMs : 0;
}
