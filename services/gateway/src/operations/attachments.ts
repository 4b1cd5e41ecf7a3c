import { AppError } from '@bluewave/errors/app-error';
import type { Attachment } from '@bluewave/protos/generated/bluewave/chat/v1/Attachment';
import type { Upload } from '@bluewave/protos/generated/bluewave/media/v1/Upload';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { MediaClient } from '../clients/clients.ts';
import type { Identity } from '../identity/identity.ts';

/**
 * The caller's own confirmed uploads, in the order given, as attachments of a message.
 * @throws NOT_FOUND, UPLOAD_NOT_CONFIRMED.
 */
export async function resolveAttachments(
  media: Pick<MediaClient, 'ResolveAttachments'>,
  caller: Identity,
  uploadIds: readonly string[],
  context: CallContext,
): Promise<Attachment[]> {
  if (uploadIds.length === 0) return [];
  const request = { actorId: caller.userId, uploadIds: [...new Set(uploadIds)] };
  const { uploads } = await media.ResolveAttachments(request, context);
  return uploads.map(attachmentOf);
}

function attachmentOf(upload: Upload): Attachment {
  const { uploadId, kind, fileName, contentType, size, width, height, durationMs, thumbhash, status } = upload;
  const hasThumbnail = upload.hasThumbnail;
  return {
    uploadId,
    kind,
    fileName,
    contentType,
    size,
    width,
    height,
    durationMs,
    thumbhash,
    status,
    hasThumbnail,
  };
}

/**
 * The type of a message: what the sender says, else the kind of its first attachment, else text. A type other than
 * text needs an attachment; image, audio and video need one of their kind.
 * @throws VALIDATION_FAILED.
 */
export function typeOfMessage(wanted: string | undefined, attachments: readonly Attachment[]): string {
  if (wanted === undefined) return attachments[0]?.kind ?? 'text';
  const fits =
    wanted === 'text' ||
    (wanted === 'file' ? attachments.length > 0 : attachments.some((attachment) => attachment.kind === wanted));
  if (fits) return wanted;
  const message = `needs an attachment that is ${wanted === 'file' ? 'a file' : `of kind ${wanted}`}`;
  throw new AppError('VALIDATION_FAILED', 'The type of the message does not fit its attachments.', {
    fields: [{ path: 'type', code: 'invalid_value', message }],
  });
}
