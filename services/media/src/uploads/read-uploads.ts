import { AppError, notFound } from '@bluewave/errors/app-error';
import type { Clock } from '@bluewave/runtime/clock';
import type { UploadOf } from './confirm-upload.ts';
import { contentDisposition } from './file-name.ts';
import type { UrlSigner } from './object-store.ts';
import type { Deadline, UploadStore } from './upload-store.ts';
import { objectKeys, type Upload, type UploadRules } from './upload.ts';

/** An upload of the actor. @throws AppError NOT_FOUND, also for those of others. */
export async function getUpload(store: UploadStore, { actorId, uploadId }: UploadOf, by: Deadline): Promise<Upload> {
  const upload = await store.find(uploadId, by);
  if (!upload || upload.ownerId !== actorId || upload.status === 'deleted') throw notFound();
  return upload;
}

/** The uploads of these ids that exist, for presentation to somebody whose access was checked. */
export async function getUploads(store: UploadStore, uploadIds: string[], by: Deadline): Promise<Upload[]> {
  const found = await store.findMany([...new Set(uploadIds)], by);
  return found.filter((upload) => upload.status !== 'deleted');
}

/**
 * The actor's confirmed uploads, in the order asked for.
 * @throws AppError NOT_FOUND, UPLOAD_NOT_CONFIRMED, UPLOAD_REJECTED.
 */
export async function resolveAttachments(
  store: UploadStore,
  actorId: string,
  uploadIds: string[],
  by: Deadline,
): Promise<Upload[]> {
  const found = new Map((await getUploads(store, uploadIds, by)).map((upload) => [upload.id, upload]));
  return uploadIds.map((id) => {
    const upload = found.get(id);
    if (!upload || upload.ownerId !== actorId) throw notFound();
    if (upload.status === 'pending') {
      throw new AppError('UPLOAD_NOT_CONFIRMED', 'Confirm the upload before you attach it.');
    }
    if (upload.status === 'rejected') throw new AppError('UPLOAD_REJECTED', `${upload.reason} Make a new upload.`);
    return upload;
  });
}

export type SignParts = { store: UploadStore; signer: UrlSigner; clock: Clock; rules: UploadRules };
export type SignedDownload = { url: string; expiresAt: number };

/** A browser may show what was re-encoded by us and what its player decodes; all else is saved, never opened. */
const shownInline: ReadonlySet<Upload['kind']> = new Set(['image', 'audio', 'video']);

/**
 * Signs a GET of the content, or of the thumbnail, for somebody whose access was checked. Nothing is served from
 * quarantine. @throws AppError NOT_FOUND unless the upload is ready (and has a thumbnail).
 */
export async function signDownload(
  parts: SignParts,
  uploadId: string,
  thumbnail: boolean,
  by: Deadline,
): Promise<SignedDownload> {
  const upload = await parts.store.find(uploadId, by);
  if (upload?.status !== 'ready' || (thumbnail && !upload.hasThumbnail)) throw notFound();
  const keys = objectKeys(upload.id);
  const expiresAt = parts.clock() + parts.rules.getMs;
  const disposition = contentDisposition(shownInline.has(upload.kind) ? 'inline' : 'attachment', upload.fileName);
  const url = await parts.signer.signGet({
    key: thumbnail ? keys.thumbnail : keys.content,
    contentType: thumbnail ? 'image/webp' : upload.contentType,
    disposition: thumbnail ? 'inline' : disposition,
    seconds: Math.ceil(parts.rules.getMs / 1000),
  });
  return { url, expiresAt };
}
