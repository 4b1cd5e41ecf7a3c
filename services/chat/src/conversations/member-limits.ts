import { AppError } from '@bluewave/errors/app-error';
import type { ConversationType } from '../log/entry.ts';

/** As many members as a conversation may have, by its type. */
export type MemberLimits = { group: number; room: number };

/** @throws MEMBER_LIMIT_REACHED. */
export function demandRoom(type: ConversationType, members: number, limits: MemberLimits): void {
  const limit = type === 'room' ? limits.room : limits.group;
  if (members > limit) throw new AppError('MEMBER_LIMIT_REACHED', `A ${type} has at most ${limit} members.`);
}
