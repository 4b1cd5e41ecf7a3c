import type { Media } from '@bluewave/api/objects';
import type { Attachment } from '@bluewave/protos/generated/bluewave/chat/v1/Attachment';

/** An upload as services describe it: an attachment of a message and an upload of media share these fields. */
export type UploadState = Attachment;

const kinds = ['image', 'file', 'audio', 'video'] as const;
const states = ['pending', 'processing', 'ready', 'rejected'] as const;

const urlOf = (uploadId: string): string => `/api/v1/media/${uploadId}`;

/** Where the content of an upload is read: ours, and checked at each use. */
export function contentUrl(uploadId: string): string {
  return `${urlOf(uploadId)}/content`;
}

/** An upload for clients. Its URLs are ours and checked at each use; absent numbers (0) are left out. */
export function presentMedia(upload: UploadState): Media {
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
    url: contentUrl(upload.uploadId),
    ...(upload.hasThumbnail ? { thumbnailUrl: `${urlOf(upload.uploadId)}/thumbnail` } : {}),
    status: states.find((state) => state === upload.status) ?? 'processing',
  };
}
