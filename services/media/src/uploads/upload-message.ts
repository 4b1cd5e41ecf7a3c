import type { Upload as UploadMessage } from '@bluewave/protos/generated/bluewave/media/v1/Upload';
import type { Upload } from './upload.ts';

/** An upload as others see it: exactly the fields of the contract. */
export function toUploadMessage(upload: Upload): UploadMessage {
  return {
    uploadId: upload.id,
    ownerId: upload.ownerId,
    kind: upload.kind,
    fileName: upload.fileName,
    contentType: upload.contentType,
    size: upload.size,
    width: upload.width,
    height: upload.height,
    durationMs: upload.durationMs,
    thumbhash: upload.thumbhash,
    status: upload.status,
    hasThumbnail: upload.hasThumbnail,
    purpose: upload.purpose,
  };
}
