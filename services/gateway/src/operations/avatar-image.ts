import { AppError } from '@bluewave/errors/app-error';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { MediaClient } from '../clients/clients.ts';
import type { Identity } from '../identity/identity.ts';

/**
 * That an upload may become a picture: the caller's own, confirmed, an image.
 * @throws NOT_FOUND, UPLOAD_NOT_CONFIRMED, UPLOAD_REJECTED, VALIDATION_FAILED.
 */
export async function demandImage(
  media: Pick<MediaClient, 'ResolveAttachments'>,
  caller: Identity,
  uploadId: string | null | undefined,
  context: CallContext,
): Promise<void> {
  if (!uploadId) return;
  const request = { actorId: caller.userId, uploadIds: [uploadId] };
  const { uploads } = await media.ResolveAttachments(request, context);
  if (uploads[0]?.kind === 'image') return;
  throw new AppError('VALIDATION_FAILED', 'A picture is an image.', {
    fields: [{ path: 'avatarId', code: 'invalid_value', message: 'must be an upload that is an image' }],
  });
}
