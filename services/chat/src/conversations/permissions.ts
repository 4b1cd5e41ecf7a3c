import type { ConversationType, Role } from '../log/entry.ts';

/** Everything that a role may allow. */
export const actions = [
  'send',
  'mention-all',
  'skip-slow-mode',
  'pin-message',
  'see-receipts',
  'delete-any-message',
  'leave',
  'add-member',
  'remove-member',
  'ban',
  'change-role',
  'update',
  'delete',
  'transfer-ownership',
] as const;
export type Action = (typeof actions)[number];

const everyone: readonly Role[] = ['owner', 'admin', 'moderator', 'member'];
const moderators: readonly Role[] = ['owner', 'admin', 'moderator'];
const admins: readonly Role[] = ['owner', 'admin'];
const owners: readonly Role[] = ['owner'];
const nobody: readonly Role[] = [];

const shared: Record<Action, readonly Role[]> = {
  send: everyone,
  'mention-all': moderators,
  'skip-slow-mode': moderators,
  'pin-message': moderators,
  'see-receipts': moderators,
  'delete-any-message': moderators,
  leave: everyone,
  'add-member': admins,
  'remove-member': moderators,
  ban: moderators,
  'change-role': admins,
  update: admins,
  delete: owners,
  'transfer-ownership': owners,
};

/** What a role allows in a conversation of a type. Nothing that is not listed is allowed. */
const allowed: Record<ConversationType, Record<Action, readonly Role[]>> = {
  direct: {
    send: everyone,
    'mention-all': everyone,
    'skip-slow-mode': everyone,
    'pin-message': everyone,
    'see-receipts': nobody,
    'delete-any-message': nobody,
    leave: nobody,
    'add-member': nobody,
    'remove-member': nobody,
    ban: nobody,
    'change-role': nobody,
    update: nobody,
    delete: nobody,
    'transfer-ownership': nobody,
  },
  group: shared,
  room: shared,
};

const rank: Record<Role, number> = { owner: 3, admin: 2, moderator: 1, member: 0 };

export function mayDo(type: ConversationType, role: Role, action: Action): boolean {
  return allowed[type][action].includes(role);
}

/** Whether a role stands above another: only then it may act on the other's holder. */
export function outranks(role: Role, other: Role): boolean {
  return rank[role] > rank[other];
}
