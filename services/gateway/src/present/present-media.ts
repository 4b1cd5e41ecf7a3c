import type { Media } from '@bluewave/api/objects';
import type { Attachment } from '@bluewave/protos/generated/bluewave/chat/v1/Attachment';

/** An upload as services describe it: an attachment of a message and an upload of media share these fields. */
export type UploadState = Attachment;

const kinds = ['image', 'file', 'audio', 'video'] as const;
const states = ['pending', 'processing', 'ready', 'rejected'] as const;

/** An upload for clients. Its URLs are ours and checked at each use; absent numbers (0) are left out. */
export function presentMedia(upload: UploadState): Media {
  const base = `/api/v1/media/${upload.uploadId}`;
  return {
    uploadId: upload.uploadId,
    kind: kinds.find((kind) => kind === upload.kind) ?? 'file',
    fileName: upload.fileName,
    contentType: upload.contentType,
    size: upload.size,
    ...(upload.width > 0 ? { width: upload.width } : {}),
    ...(upload.height > 0 ? { height: upload.height } : {}),
    ...(upload.durationMs > 0 ? { durationMs: upload.durationMs } : {}),
    ...(upload.thumbhash === '' ? {} : { thumbhash: upload.thumbhash }),
    url: `${base}/content`,
    ...(upload.hasThumbnail ? { thumbnailUrl: `${base}/thumbnail` } : {}),
    status: states.find((state) => state === upload.status) ?? 'processing',
  };
}
