import type { AppendRequest } from '../log/append.ts';
import type { ConversationChanges, ConversationInfo } from '../log/entry.ts';
import { type Call, type Change, changeRequest, requireRight } from './change-members.ts';

/** Changes what all members share; nothing is written when nothing changes. */
export function updateConversation(change: Change & { changes: ConversationChanges }, call: Call): AppendRequest {
  return changeRequest(change, call, (state) => {
    const { info } = requireRight(state, change.actorId, 'update', 'Only owners and admins change a conversation.');
    const changes = whatChanges(info, change.changes);
    return Object.keys(changes).length === 0 ? null : { type: 'conversation:updated', changes };
  });
}

function whatChanges(info: ConversationInfo, wanted: ConversationChanges): ConversationChanges {
  const now: Required<ConversationChanges> = {
    name: info.name,
    description: info.description,
    avatar: info.avatar ?? '',
    history: info.history ?? 'all',
    slowModeSeconds: info.slowModeSeconds ?? 0,
  };
  const keys = Object.keys(now) as (keyof ConversationChanges)[];
  const changed = keys.filter((key) => wanted[key] !== undefined && wanted[key] !== now[key]);
  return Object.fromEntries(changed.map((key) => [key, wanted[key]]));
}

/** Ends a conversation: its last entry. */
export function deleteConversation(change: Change, call: Call): AppendRequest {
  return changeRequest(change, call, (state) => {
    requireRight(state, change.actorId, 'delete', 'Only the owner deletes a conversation.');
    return { type: 'conversation:deleted' };
  });
}
