import { limits } from '@bluewave/api/limits';
import type { User } from '@bluewave/api/objects';
import { AppError } from '@bluewave/errors/app-error';
import type { CallContext } from '@bluewave/rpc/service-definition';
import { presentTime } from '../../present/present-time.ts';
import { presentUser, unknownUser } from '../../present/present-user.ts';
import type { HandlersOf, HttpDeps } from '../handler.ts';
import { demandUsers } from './demand-users.ts';
import { visiblePresences } from './presence-of.ts';

type ContactRoute = 'contacts.list' | 'contacts.put' | 'contacts.delete';
type BlockRoute = 'blocks.list' | 'blocks.put' | 'blocks.delete';

export function peopleHandlers(deps: HttpDeps): HandlersOf<ContactRoute | BlockRoute> {
  return { ...contactHandlers(deps), ...blockHandlers(deps) };
}

function contactHandlers(deps: HttpDeps): HandlersOf<ContactRoute> {
  const { chat } = deps.clients;
  return {
    async 'contacts.list'({ query, caller, context }) {
      const { limit = limits.pageSize, cursor = '' } = query;
      const request = { actorId: caller.userId, limit, cursor: demandCursor(cursor) };
      const { contacts, nextCursor } = await chat.any.ListContacts(request, context);
      const ids = contacts.map(({ userId }) => userId);
      const [users, presences] = await Promise.all([
        usersOf(deps, ids, context),
        visiblePresences(deps, caller, ids, context),
      ]);
      const items = contacts.map(({ userId, alias, createdAtMs }) => {
        const createdAt = presentTime(createdAtMs);
        const { status = 'offline', lastSeenAt = null } = presences.get(userId) ?? {};
        const user = { ...users(userId, createdAt), status, lastSeenAt };
        return { user, ...(alias === '' ? {} : { alias }), createdAt };
      });
      return { status: 200, body: { items, nextCursor: nextCursor || null } };
    },
    async 'contacts.put'({ params, body, caller, context }) {
      await demandAnother(deps, caller.userId, params.userId, context);
      const request = { actorId: caller.userId, userId: params.userId, alias: body?.alias ?? '' };
      await chat.any.PutContact(request, context);
      return { status: 204, body: undefined };
    },
    async 'contacts.delete'({ params, caller, context }) {
      await chat.any.RemoveContact({ actorId: caller.userId, userId: params.userId }, context);
      return { status: 204, body: undefined };
    },
  };
}

function blockHandlers(deps: HttpDeps): HandlersOf<BlockRoute> {
  const { chat } = deps.clients;
  /** The replica that writes the direct conversation of the two: there a block holds from its answer on. */
  const home = async (request: { actorId: string; userId: string }, context: CallContext) => {
    const { conversationId } = await chat.any.LocateDirect(request, context);
    return chat.for(conversationId);
  };
  return {
    async 'blocks.list'({ query, caller, context }) {
      const { limit = limits.pageSize, cursor = '' } = query;
      const request = { actorId: caller.userId, limit, cursor: demandCursor(cursor) };
      const { blocks, nextCursor } = await chat.any.ListBlocks(request, context);
      const users = await usersOf(
        deps,
        blocks.map(({ userId }) => userId),
        context,
      );
      const items = blocks.map(({ userId, createdAtMs }) => {
        const createdAt = presentTime(createdAtMs);
        return { user: users(userId, createdAt), createdAt };
      });
      return { status: 200, body: { items, nextCursor: nextCursor || null } };
    },
    async 'blocks.put'({ params, caller, context }) {
      await demandAnother(deps, caller.userId, params.userId, context);
      const request = { actorId: caller.userId, userId: params.userId };
      await (await home(request, context)).PutBlock(request, context);
      return { status: 204, body: undefined };
    },
    async 'blocks.delete'({ params, caller, context }) {
      const request = { actorId: caller.userId, userId: params.userId };
      await (await home(request, context)).RemoveBlock(request, context);
      return { status: 204, body: undefined };
    },
  };
}

/** Profiles without presence; of those that are gone, or cannot be read while auth is away, what is known. */
async function usersOf(
  deps: HttpDeps,
  ids: readonly string[],
  context: CallContext,
): Promise<(id: string, since: string) => User> {
  const profiles = await deps.directory.profiles(ids, context).catch((error: unknown) => {
    deps.log.warn({ err: error, traceId: context.traceId }, 'profiles of people cannot be read');
    return deps.directory.peekProfiles(ids);
  });
  const summaries = deps.directory.peek(ids);
  return (id, since) => {
    const profile = profiles.get(id);
    if (profile) return presentUser(profile);
    const standIn = { bio: '', status: 'offline', lastSeenAt: null, createdAt: since } as const;
    return { ...(summaries.get(id) ?? unknownUser(id)), ...standIn };
  };
}

async function demandAnother(deps: HttpDeps, callerId: string, userId: string, context: CallContext): Promise<void> {
  if (userId === callerId) {
    throw new AppError('VALIDATION_FAILED', 'This takes somebody else.', {
      fields: [{ path: 'userId', code: 'invalid_value', message: 'must not be yourself' }],
    });
  }
  await demandUsers(deps, [userId], context);
}

/** A cursor is the last user of the page before. @throws VALIDATION_FAILED for what is none. */
function demandCursor(cursor: string): string {
  if (cursor === '' || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(cursor)) return cursor;
  throw new AppError('VALIDATION_FAILED', 'This is no cursor of this list.', {
    fields: [{ path: 'cursor', code: 'invalid_format', message: 'must be the nextCursor of a page' }],
  });
}
