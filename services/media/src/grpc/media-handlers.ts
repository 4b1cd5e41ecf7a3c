import type { CreateUploadRequest } from '@bluewave/protos/generated/bluewave/media/v1/CreateUploadRequest';
import type { MediaServiceDefinition } from '@bluewave/protos/generated/bluewave/media/v1/MediaService';
import type { UploadRequest } from '@bluewave/protos/generated/bluewave/media/v1/UploadRequest';
import type { Handlers } from '@bluewave/rpc/service-definition';
import { toUploadMessage } from '../uploads/upload-message.ts';
import { confirmUpload, type ConfirmParts, type UploadOf } from '../uploads/confirm-upload.ts';
import { createUpload, type CreateParts, type UploadWish } from '../uploads/create-upload.ts';
import { deleteUpload } from '../uploads/delete-upload.ts';
import { getUpload, getUploads, resolveAttachments, signDownload } from '../uploads/read-uploads.ts';
import type { UploadPurpose } from '../uploads/upload.ts';
import { isUuid, refuseInvalid } from './request-fields.ts';

const maxAttachments = 100;
const maxUploads = 500;
const purposes: readonly string[] = ['message', 'avatar'] satisfies UploadPurpose[];
const mediaType = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,62}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}$/i;

/** Every RPC of the media service: requests are checked here, rules are in `uploads/`. */
export function mediaHandlers(parts: CreateParts & ConfirmParts): Handlers<MediaServiceDefinition> {
  const { store } = parts;
  return {
    async CreateUpload(request, context) {
      const reserved = await createUpload(parts, wishOf(request), context);
      const { uploadId, url, headers, expiresAt } = reserved;
      return { uploadId, url, headers, expiresAtMs: expiresAt };
    },

    async ConfirmUpload(request, context) {
      return toUploadMessage(await confirmUpload(parts, uploadOf(request), context.traceId, context));
    },

    async GetUpload(request, context) {
      return toUploadMessage(await getUpload(store, uploadOf(request), context));
    },

    async DeleteUpload(request, context) {
      await deleteUpload(parts, uploadOf(request), context);
      return {};
    },

    async ResolveAttachments({ actorId, uploadIds }, context) {
      refuseInvalid([isUuid('actorId', actorId), ...idChecks(uploadIds, maxAttachments)]);
      const uploads = await resolveAttachments(store, actorId.toLowerCase(), lower(uploadIds), context);
      return { uploads: uploads.map(toUploadMessage) };
    },

    async GetUploads({ uploadIds }, context) {
      refuseInvalid(idChecks(uploadIds, maxUploads));
      const uploads = await getUploads(store, lower(uploadIds), context);
      return { uploads: uploads.map(toUploadMessage) };
    },

    async SignDownload({ uploadId, thumbnail }, context) {
      refuseInvalid([isUuid('uploadId', uploadId)]);
      const { url, expiresAt } = await signDownload(parts, uploadId.toLowerCase(), thumbnail, context);
      return { url, expiresAtMs: expiresAt };
    },
  };
}

const lower = (ids: string[]): string[] => ids.map((id) => id.toLowerCase());

function idChecks(ids: string[], most: number) {
  return [
    { path: 'uploadIds', valid: ids.length <= most, message: `must be at most ${most}` },
    ...ids.slice(0, most).map((id, index) => isUuid(`uploadIds.${index}`, id)),
  ];
}

function uploadOf({ actorId, uploadId }: UploadRequest): UploadOf {
  refuseInvalid([isUuid('actorId', actorId), isUuid('uploadId', uploadId)]);
  return { actorId: actorId.toLowerCase(), uploadId: uploadId.toLowerCase() };
}

function wishOf(request: CreateUploadRequest): UploadWish {
  const { actorId, fileName, contentType, size, sha256, purpose } = request;
  refuseInvalid([
    isUuid('actorId', actorId),
    {
      path: 'fileName',
      valid: fileName.length >= 1 && fileName.length <= 255,
      message: 'must have 1 to 255 characters',
    },
    { path: 'contentType', valid: mediaType.test(contentType), message: 'must be a media type without parameters' },
    { path: 'size', valid: Number.isSafeInteger(size) && size >= 1, message: 'must be a positive number of bytes' },
    { path: 'sha256', valid: /^([0-9a-f]{64})?$/.test(sha256), message: 'must be lower-case hex' },
    { path: 'purpose', valid: purposes.includes(purpose), message: 'must be message or avatar' },
  ]);
  const wish = { ownerId: actorId.toLowerCase(), fileName, contentType, size, sha256 };
  return { ...wish, purpose: purpose === 'avatar' ? 'avatar' : 'message' };
}
