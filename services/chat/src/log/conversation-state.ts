import type { ConversationInfo, LogEntry, Role } from './entry.ts';

export type MemberState = {
  role: Role;
  /** Seq and time of the entry that added the member. */
  joinedSeq: number;
  joinedAt: number;
};

/**
 * A conversation as of `head`: the fold of its entries 1..head. It is exact as of that seq, and an insert at
 * head + 1 succeeds only if nothing happened since, so what it permits is what the log permits.
 */
export type ConversationState = {
  readonly id: string;
  /** Last majority-committed seq known here; 0 before the first entry. */
  head: number;
  info: ConversationInfo | null;
  createdAt: number;
  updatedAt: number;
  readonly members: Map<string, MemberState>;
};

export function emptyState(id: string): ConversationState {
  return { id, head: 0, info: null, createdAt: 0, updatedAt: 0, members: new Map() };
}

/**
 * Brings a state forward by the next entry. Folding in seq order is the only way a state changes.
 * @throws when the entry is not the next one: a hole must never be folded over.
 */
export function applyEntry(state: ConversationState, entry: LogEntry): void {
  if (entry.seq !== state.head + 1) {
    throw new Error(`entry ${entry.seq} does not follow head ${state.head} of ${state.id}`);
  }
  foldPermissions(state, entry);
  state.head = entry.seq;
}

/** The effect of one entry on info and members; idempotent over projections that already reflect it. */
export function foldPermissions(state: ConversationState, entry: LogEntry): void {
  const body = entry.body;
  switch (body.type) {
    case 'member:added':
      if (body.created) {
        state.info = body.created;
        state.createdAt = entry.at;
      }
      for (const userId of body.userIds) {
        state.members.set(userId, roleOfNewMember(state, userId, entry));
      }
      state.updatedAt = entry.at;
      return;
    case 'member:removed':
      state.members.delete(body.userId);
      state.updatedAt = entry.at;
      return;
    case 'message:new':
    case 'message:edited':
    case 'message:deleted':
      return;
    default:
      body satisfies never;
  }
}

function roleOfNewMember(state: ConversationState, userId: string, entry: LogEntry): MemberState {
  const owns = state.info?.type !== 'direct' && entry.seq === 1 && userId === entry.senderId;
  return { role: owns ? 'owner' : 'member', joinedSeq: entry.seq, joinedAt: entry.at };
}
