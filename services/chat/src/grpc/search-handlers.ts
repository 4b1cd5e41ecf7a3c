import { AppError } from '@bluewave/errors/app-error';
import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { Handlers } from '@bluewave/rpc/service-definition';
import { presentMessage } from '../events/present-message.ts';
import { hydrate } from '../reading/hydrate.ts';
import { type SearchFilter, searchMessages } from '../search/search-messages.ts';
import type { ChatDeps } from './chat-deps.ts';
import { checkIds, checkKind, pageLimit } from './check-request.ts';
import { toFailure } from './failures.ts';
import { statusFor } from './present-view.ts';

export function searchHandlers(deps: ChatDeps): Pick<Handlers<ChatServiceDefinition>, 'SearchMessages'> {
  const { reads, search: index, clock } = deps;
  return {
    async SearchMessages({ actorId, query, conversationId, senderId, type, beforeMs, afterMs, limit, cursor }, call) {
      checkIds(actorId, ...[conversationId, senderId].filter((id) => id !== ''));
      const filter: SearchFilter = {
        ...(conversationId === '' ? {} : { conversationId }),
        ...(senderId === '' ? {} : { senderId }),
        ...(type === '' ? {} : { kind: checkKind(type) }),
        ...(beforeMs === undefined ? {} : { before: checkTime(beforeMs) }),
        ...(afterMs === undefined ? {} : { after: checkTime(afterMs) }),
      };
      const request = {
        userId: actorId,
        text: query,
        filter,
        limit: pageLimit(limit),
        cursor,
        deadline: call.deadline,
      };
      const { found, nextCursor } = await searchMessages({ reads, index, clock, isOutOfTime }, request);
      const own = found.filter(({ entry }) => entry.senderId === actorId).map(({ entry }) => entry.conversationId);
      const [hydrated, least] = await Promise.all([
        hydrate(
          reads,
          found.map(({ entry }) => entry),
          actorId,
        ),
        own.length > 0 ? reads.leastPointersOf([...new Set(own)], actorId) : null,
      ]);
      return {
        items: found.map(({ entry, highlights }) => ({
          message: presentMessage(entry, hydrated, statusFor(actorId, least?.get(entry.conversationId) ?? null)),
          highlights: highlights.map(([start, end]) => ({ start, end })),
        })),
        nextCursor,
      };
    },
  };
}

const isOutOfTime = (rejection: unknown): boolean => toFailure(rejection).code === 'DEADLINE_EXCEEDED';

function checkTime(ms: number): number {
  // The last moment that has a date.
  if (ms >= 0 && ms <= 8_640_000_000_000_000) return ms;
  throw new AppError('VALIDATION_FAILED', 'A time is milliseconds since 1970.');
}
