import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { Handlers } from '@bluewave/rpc/service-definition';
import { AppError } from '@bluewave/errors/app-error';
import { directIdOf } from '../conversations/direct-id.ts';
import { putContact } from '../people/blocking.ts';
import type { ChatDeps } from './chat-deps.ts';
import { checkIds, pageLimit } from './check-request.ts';

type PeopleMethods =
  | 'ListContacts'
  | 'PutContact'
  | 'RemoveContact'
  | 'ListBlocks'
  | 'PutBlock'
  | 'RemoveBlock'
  | 'LocateDirect'
  | 'FindBlockers';

/** As many as are asked after at once. */
const maxAsked = 1_000;

export function peopleHandlers(deps: ChatDeps): Pick<Handlers<ChatServiceDefinition>, PeopleMethods> {
  const { people, blocking, clock } = deps;
  return {
    async ListContacts({ actorId, limit, cursor }) {
      checkIds(actorId, ...(cursor ? [cursor] : []));
      const size = pageLimit(limit);
      const { page, nextCursor } = cut(await people.contacts(actorId, cursor || null, size + 1), size);
      return { contacts: page.map(({ userId, alias, at }) => ({ userId, alias, createdAtMs: at })), nextCursor };
    },
    async PutContact({ actorId, userId, alias }) {
      checkPair(actorId, userId);
      await putContact(people, { userId: actorId, otherId: userId, alias, at: clock() });
      return {};
    },
    async RemoveContact({ actorId, userId }) {
      checkIds(actorId, userId);
      await people.removeContact(actorId, userId);
      return {};
    },
    async ListBlocks({ actorId, limit, cursor }) {
      checkIds(actorId, ...(cursor ? [cursor] : []));
      const size = pageLimit(limit);
      const { page, nextCursor } = cut(await people.blocks(actorId, cursor || null, size + 1), size);
      return { blocks: page.map(({ userId, at }) => ({ userId, createdAtMs: at })), nextCursor };
    },
    async PutBlock({ actorId, userId }, call) {
      checkPair(actorId, userId);
      await blocking.block({ blocker: actorId, blocked: userId }, call);
      return {};
    },
    async RemoveBlock({ actorId, userId }) {
      checkIds(actorId, userId);
      await blocking.unblock({ blocker: actorId, blocked: userId });
      return {};
    },
    async LocateDirect({ actorId, userId }) {
      checkIds(actorId, userId);
      return { conversationId: directIdOf(actorId, userId) };
    },
    async FindBlockers({ actorId, userIds }) {
      checkIds(actorId, ...userIds);
      const pairs = userIds.slice(0, maxAsked).map((blocker) => ({ blocker, blocked: actorId }));
      return { userIds: (await people.inForce(pairs)).map(({ blocker }) => blocker) };
    },
  };
}

function cut<T extends { userId: string }>(found: T[], size: number): { page: T[]; nextCursor: string } {
  const page = found.slice(0, size);
  return { page, nextCursor: found.length > size ? (page.at(-1)?.userId ?? '') : '' };
}

function checkPair(actorId: string, userId: string): void {
  checkIds(actorId, userId);
  if (actorId === userId) throw new AppError('VALIDATION_FAILED', 'This takes somebody else.');
}
