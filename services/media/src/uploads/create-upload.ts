import { AppError } from '@bluewave/errors/app-error';
import type { Clock } from '@bluewave/runtime/clock';
import { acceptedType } from './accepted-types.ts';
import { cleanFileName } from './file-name.ts';
import type { SignedPut, UrlSigner } from './object-store.ts';
import type { UploadMeter } from './outbound.ts';
import type { Deadline, UploadLimiter, UploadStore } from './upload-store.ts';
import { objectKeys, type Upload, type UploadPurpose, type UploadRules } from './upload.ts';

export type CreateParts = {
  store: UploadStore;
  limiter: UploadLimiter;
  signer: UrlSigner;
  meter: UploadMeter;
  clock: Clock;
  newId(): string;
  rules: UploadRules;
  /** Whether the uploads of an hour are counted. */
  limited: boolean;
};

export type UploadWish = {
  ownerId: string;
  fileName: string;
  contentType: string;
  size: number;
  /** Lower-case hex or empty. */
  sha256: string;
  purpose: UploadPurpose;
};

export type ReservedUpload = SignedPut & { uploadId: string; expiresAt: number };

/**
 * Reserves an upload and signs the one PUT that may fill it: of exactly this length and type, once, within 5 minutes.
 * @throws AppError VALIDATION_FAILED, UNSUPPORTED_MEDIA_TYPE, FILE_TOO_LARGE, RATE_LIMITED.
 */
export async function createUpload(parts: CreateParts, wish: UploadWish, by: Deadline): Promise<ReservedUpload> {
  const { store, signer, meter, rules } = parts;
  const now = parts.clock();
  const upload = newUpload(parts, wish, now);
  if (parts.limited) await takeFromLimit(parts, wish.ownerId, now, by);
  const signed = await signer.signPut({
    key: objectKeys(upload.id).quarantine,
    contentType: upload.contentType,
    size: upload.size,
    sha256: wish.sha256,
    seconds: Math.ceil(rules.putMs / 1000),
  });
  await store.insert(upload, by);
  meter.outcome(upload.kind, 'created');
  return { ...signed, uploadId: upload.id, expiresAt: upload.expiresAt };
}

function newUpload(parts: CreateParts, wish: UploadWish, now: number): Upload {
  const { rules } = parts;
  const contentType = wish.contentType.toLowerCase();
  const fileName = cleanFileName(wish.fileName);
  if (fileName === '') throw invalid('fileName', 'must name a file');
  const kind = kindOf(contentType, wish, rules);
  const expiresAt = now + rules.putMs;
  return {
    id: parts.newId(),
    ownerId: wish.ownerId,
    kind,
    purpose: wish.purpose,
    fileName,
    declared: { contentType, size: wish.size, sha256: wish.sha256 },
    contentType,
    size: wish.size,
    width: 0,
    height: 0,
    durationMs: 0,
    thumbhash: '',
    hasThumbnail: false,
    status: 'pending',
    reason: '',
    etag: '',
    checksumVerified: false,
    createdAt: now,
    expiresAt,
    confirmedAt: 0,
    attempts: 0,
    enqueued: 0,
    leaseUntil: 0,
    announced: false,
    dueAt: expiresAt + rules.lateMs,
    version: 1,
  };
}

function kindOf(contentType: string, wish: UploadWish, rules: UploadRules): Upload['kind'] {
  const kind = acceptedType(contentType)?.kind;
  if (kind === undefined) {
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'Content of this type is not accepted.');
  }
  if (wish.purpose === 'avatar' && kind !== 'image') {
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'An avatar is a JPEG, PNG, WebP, GIF or AVIF image.');
  }
  const largest = kind === 'image' ? rules.imageBytes : rules.fileBytes;
  if (wish.size > largest) {
    throw new AppError('FILE_TOO_LARGE', `This kind of file may have at most ${largest} bytes.`);
  }
  return kind;
}

async function takeFromLimit(parts: CreateParts, ownerId: string, now: number, by: Deadline): Promise<void> {
  const waitMs = await parts.limiter.take(ownerId, parts.rules.uploadsPerHour, now, by);
  if (waitMs === 0) return;
  throw new AppError('RATE_LIMITED', `At most ${parts.rules.uploadsPerHour} uploads an hour are accepted.`, {
    retryAfterMs: waitMs,
  });
}

function invalid(path: string, message: string): AppError {
  return new AppError('VALIDATION_FAILED', 'The request does not match its schema.', {
    fields: [{ path, code: 'invalid', message }],
  });
}
