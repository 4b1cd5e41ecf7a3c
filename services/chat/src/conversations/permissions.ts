import type { ConversationType, Role } from '../log/entry.ts';

/** What a role allows in a conversation of a type. Nothing that is not listed is allowed. */
export type Action = 'send' | 'add-member' | 'remove-member' | 'delete-any-message' | 'leave';

const everyone: readonly Role[] = ['owner', 'admin', 'moderator', 'member'];
const moderators: readonly Role[] = ['owner', 'admin', 'moderator'];
const admins: readonly Role[] = ['owner', 'admin'];

const allowed: Record<ConversationType, Record<Action, readonly Role[]>> = {
  direct: { send: everyone, 'add-member': [], 'remove-member': [], 'delete-any-message': [], leave: [] },
  group: {
    send: everyone,
    'add-member': admins,
    'remove-member': moderators,
    'delete-any-message': moderators,
    leave: everyone,
  },
  room: {
    send: everyone,
    'add-member': admins,
    'remove-member': moderators,
    'delete-any-message': moderators,
    leave: everyone,
  },
};

const rank: Record<Role, number> = { owner: 3, admin: 2, moderator: 1, member: 0 };

export function mayDo(type: ConversationType, role: Role, action: Action): boolean {
  return allowed[type][action].includes(role);
}

/** Whether a role stands above another: only then it may act on the other's holder. */
export function outranks(role: Role, other: Role): boolean {
  return rank[role] > rank[other];
}
