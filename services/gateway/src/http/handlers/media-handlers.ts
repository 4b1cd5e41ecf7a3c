import { notFound, toAppError } from '@bluewave/errors/app-error';
import type { Upload } from '@bluewave/protos/generated/bluewave/media/v1/Upload';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { Identity } from '../../identity/identity.ts';
import { presentMedia } from '../../present/present-media.ts';
import { presentTime } from '../../present/present-time.ts';
import type { HandlersOf, HttpDeps } from '../handler.ts';

type MediaRoute =
  'media.uploadUrl' | 'media.confirm' | 'media.get' | 'media.delete' | 'media.content' | 'media.thumbnail';

export function mediaHandlers(deps: HttpDeps): HandlersOf<MediaRoute> {
  const { chat, media } = deps.clients;
  const download = async (caller: Identity, uploadId: string, thumbnail: boolean, context: CallContext) => {
    if (!(await mayOpen(deps, caller, uploadId, context))) throw notFound();
    const { url } = await media.SignDownload({ uploadId, thumbnail }, context);
    const headers = { location: url, 'cache-control': 'private, max-age=60' };
    return { status: 302, body: undefined, headers } as const;
  };
  return {
    async 'media.uploadUrl'({ body, caller, context }) {
      const { fileName, contentType, size, sha256 = '', purpose, conversationId } = body;
      if (conversationId !== undefined) {
        await chat.for(conversationId).GetConversation({ actorId: caller.userId, conversationId }, context);
      }
      const reply = await media.CreateUpload(
        { actorId: caller.userId, fileName, contentType, size, sha256, purpose },
        context,
      );
      const { uploadId, url, headers, expiresAtMs } = reply;
      return { status: 201, body: { uploadId, method: 'PUT', url, headers, expiresAt: presentTime(expiresAtMs) } };
    },
    async 'media.confirm'({ body, caller, context }) {
      const upload = await media.ConfirmUpload({ actorId: caller.userId, uploadId: body.uploadId }, context);
      return { status: 200, body: presentMedia(upload) };
    },
    async 'media.get'({ params, caller, context }) {
      const own = await ownUpload(deps, caller, params.uploadId, context);
      const upload = own ?? (await sharedUpload(deps, caller, params.uploadId, context));
      return { status: 200, body: presentMedia(upload) };
    },
    async 'media.delete'({ params, caller, context }) {
      await media.DeleteUpload({ actorId: caller.userId, uploadId: params.uploadId }, context);
      return { status: 204, body: undefined };
    },
    'media.content': ({ params, caller, context }) => download(caller, params.uploadId, false, context),
    'media.thumbnail': ({ params, caller, context }) => download(caller, params.uploadId, true, context),
  };
}

/** The upload when it is the caller's own. */
async function ownUpload(
  deps: HttpDeps,
  caller: Identity,
  uploadId: string,
  context: CallContext,
): Promise<Upload | undefined> {
  try {
    return await deps.clients.media.GetUpload({ actorId: caller.userId, uploadId }, context);
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** The upload when a message of a conversation of the caller holds it. */
async function sharedUpload(deps: HttpDeps, caller: Identity, uploadId: string, context: CallContext): Promise<Upload> {
  const { allowed } = await deps.clients.chat.any.CanOpenUpload({ actorId: caller.userId, uploadId }, context);
  if (!allowed) throw notFound();
  const { uploads } = await deps.clients.media.GetUploads({ uploadIds: [uploadId] }, context);
  const upload = uploads[0];
  if (!upload) throw notFound();
  return upload;
}

/** Its owner and members of a conversation that shows it. One service being away does not hide what the other allows. */
async function mayOpen(deps: HttpDeps, caller: Identity, uploadId: string, context: CallContext): Promise<boolean> {
  const [own, shared] = await Promise.allSettled([
    ownUpload(deps, caller, uploadId, context),
    deps.clients.chat.any.CanOpenUpload({ actorId: caller.userId, uploadId }, context),
  ]);
  if (own.status === 'fulfilled' && own.value) return true;
  if (shared.status === 'fulfilled' && shared.value.allowed) return true;
  if (shared.status === 'rejected') throw toAppError(shared.reason);
  if (own.status === 'rejected') throw toAppError(own.reason);
  return false;
}
