import { type Ban, changesPermissions, type ConversationInfo, type LogEntry, type Role } from './entry.ts';

export type MemberState = {
  role: Role;
  /** Seq and time of the entry that added the member. */
  joinedSeq: number;
  joinedAt: number;
  /** First seq that the member may read. */
  firstSeq: number;
  /** Time of the member's last message; known in conversations with slow mode, else 0. */
  lastMessageAt: number;
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
  /** When it was deleted; then it has no members and gets no more entries. */
  deletedAt: number | null;
  readonly members: Map<string, MemberState>;
  /** Who is kept out, by user id. */
  readonly bans: Map<string, Ban>;
};

export function emptyState(id: string): ConversationState {
  return { id, head: 0, info: null, createdAt: 0, updatedAt: 0, deletedAt: null, members: new Map(), bans: new Map() };
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
  noteMessage(state, entry);
  state.head = entry.seq;
}

/** Remembers when a member last spoke, where that limits them. */
export function noteMessage(state: ConversationState, { senderId, body, at }: LogEntry): void {
  if (body.type !== 'message:new' || !state.info?.slowModeSeconds) return;
  const member = state.members.get(senderId);
  if (member) member.lastMessageAt = Math.max(member.lastMessageAt, at);
}

/** The effect of one entry on info, members and bans; idempotent over projections that already reflect it. */
export function foldPermissions(state: ConversationState, entry: LogEntry): void {
  const { body } = entry;
  if (changesPermissions(body.type)) state.updatedAt = entry.at;
  switch (body.type) {
    case 'member:added':
      return addMembers(state, entry, body.userIds, body.created);
    case 'member:removed':
      state.members.delete(body.userId);
      if (body.ban) state.bans.set(body.userId, body.ban);
      return;
    case 'member:updated':
      setRole(state, body.userId, body.role);
      if (body.demoted !== undefined) setRole(state, body.demoted, 'admin');
      return;
    case 'conversation:updated':
      if (state.info) state.info = { ...state.info, ...body.changes };
      if (body.banned) state.bans.set(body.banned.userId, body.banned);
      if (body.lifted !== undefined) state.bans.delete(body.lifted);
      return;
    case 'conversation:deleted':
      state.deletedAt = entry.at;
      state.members.clear();
      state.bans.clear();
      return;
    case 'message:new':
    case 'message:edited':
    case 'message:deleted':
    case 'message:reaction':
    case 'message:pinned':
      return;
    default:
      body satisfies never;
  }
}

function addMembers(
  state: ConversationState,
  entry: LogEntry,
  userIds: readonly string[],
  created: ConversationInfo | null,
): void {
  if (created) {
    state.info = created;
    state.createdAt = entry.at;
  }
  for (const userId of userIds) {
    const membership = newMembership(state.info, entry, userId);
    state.members.set(userId, { ...membership, joinedAt: entry.at, lastMessageAt: 0 });
    state.bans.delete(userId);
  }
}

/** What somebody becomes by the entry that adds them, in a conversation that is as `info` says. */
export function newMembership(
  info: ConversationInfo | null,
  { seq, senderId, body }: Pick<LogEntry, 'seq' | 'senderId' | 'body'>,
  userId: string,
): Pick<MemberState, 'role' | 'joinedSeq' | 'firstSeq'> {
  const creates = info?.type !== 'direct' && seq === 1 && userId === senderId;
  const owns = creates || (body.type === 'member:added' && body.owned === true);
  const firstSeq = info?.history === 'joined' ? seq : 1;
  return { role: owns ? 'owner' : 'member', joinedSeq: seq, firstSeq };
}

function setRole(state: ConversationState, userId: string, role: Role): void {
  const member = state.members.get(userId);
  if (member) member.role = role;
}

/** Whether somebody is kept out now. */
export function isBanned(state: ConversationState, userId: string, now: number): boolean {
  const ban = state.bans.get(userId);
  return ban !== undefined && (ban.until === null || ban.until > now);
}
