import { notFound } from '@bluewave/errors/app-error';
import type { LogEntry } from '../log/entry.ts';
import { type Head, type Membership, mostUnread, type ReadStore, type SharedInfo, type Unread } from './read-store.ts';

/** A conversation as one member sees it. */
export type ConversationView = {
  shared: SharedInfo;
  head: number;
  directUserIds: string[];
  lastMessage: LogEntry | null;
  me: Membership;
  unread: Unread;
};

/** Views of these memberships, in their order; those whose conversation is not projected yet are left out. */
export async function viewsOf(store: ReadStore, memberships: Membership[], heads: Head[]): Promise<ConversationView[]> {
  if (memberships.length === 0) return [];
  const ids = memberships.map(({ conversationId }) => conversationId);
  const shared = await store.shared(ids);
  const direct = ids.filter((id) => shared.get(id)?.type === 'direct');
  const headOf = new Map(heads.map(({ conversationId, seq }) => [conversationId, seq]));
  const [lastMessages, unread, pairs] = await Promise.all([
    store.lastMessages(ids),
    countUnread(store, memberships, headOf),
    direct.length > 0 ? store.directMembers(direct) : new Map<string, string[]>(),
  ]);
  return memberships.flatMap((me) => {
    const info = shared.get(me.conversationId);
    if (!info) return [];
    return {
      shared: info,
      head: headOf.get(me.conversationId) ?? 0,
      directUserIds: pairs.get(me.conversationId) ?? [],
      lastMessage: readableOnly(lastMessages.get(me.conversationId), me),
      me,
      unread: unread.get(me.conversationId) ?? { count: 0, mentions: 0 },
    };
  });
}

/** The last message, unless it is from before what the member may read. */
function readableOnly(message: LogEntry | undefined, { firstSeq }: Membership): LogEntry | null {
  return message && message.seq >= firstSeq ? message : null;
}

/** Entries that one query of unread counts may have to look at. */
export const countedAtOnce = 50_000;

/** Unread counts, in as many queries as it takes for each to end in time; what has nothing new costs nothing. */
async function countUnread(
  store: ReadStore,
  memberships: Membership[],
  headOf: Map<string, number>,
): Promise<Map<string, Unread>> {
  const queries: Membership[][] = [];
  let room = 0;
  for (const me of memberships) {
    const behind = (headOf.get(me.conversationId) ?? 0) - Math.max(me.readSeq, me.joinedSeq);
    if (behind <= 0) continue;
    const cost = Math.min(behind, mostUnread);
    if (cost > room) {
      queries.push([]);
      room = countedAtOnce;
    }
    queries.at(-1)?.push(me);
    room -= cost;
  }
  const counts = await Promise.all(queries.map((some) => store.unread(some, headOf)));
  return new Map(counts.flatMap((some) => [...some]));
}

/** What a user has not read, over all conversations: messages, those that call the user, and where there are any. */
export async function unreadOf(
  store: ReadStore,
  userId: string,
): Promise<{ total: number; mentions: number; conversations: number }> {
  const { memberships, heads } = await store.membershipsWithHeads(userId);
  const headOf = new Map(heads.map(({ conversationId, seq }) => [conversationId, seq]));
  const counts = [...(await countUnread(store, memberships, headOf)).values()];
  return {
    total: counts.reduce((sum, { count }) => sum + count, 0),
    mentions: counts.reduce((sum, { mentions }) => sum + mentions, 0),
    conversations: counts.filter(({ count }) => count > 0).length,
  };
}

/** One conversation as its member sees it. @throws NOT_FOUND for everybody else. */
export async function viewOf(store: ReadStore, conversationId: string, userId: string): Promise<ConversationView> {
  const me = await requireMembership(store, conversationId, userId);
  const [view] = await viewsOf(store, [me], await store.heads([conversationId]));
  await requireMembership(store, conversationId, userId);
  if (!view) throw notFound();
  return view;
}

/**
 * Asked after what is shown was read: then nothing of it is younger than an acknowledged removal of the reader.
 * @throws NOT_FOUND for non-members and absent conversations alike.
 */
export async function requireMembership(store: ReadStore, conversationId: string, userId: string): Promise<Membership> {
  const membership = await store.membership(conversationId, userId);
  if (!membership) throw notFound();
  return membership;
}
