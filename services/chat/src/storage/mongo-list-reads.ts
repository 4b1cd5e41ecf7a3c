import { committed, operationMs } from '@bluewave/mongo/connect';
import { readUuid, type StoredUuid, storeUuid } from '@bluewave/mongo/uuid';
import type { Listed, ReadStore, Unread, Window } from '../reading/read-store.ts';
import type { ChatCollections, ConversationDocument, MemberDocument } from './collections.ts';
import { type EntryAddress, type EntryDocument, fromDocument } from './entry-document.ts';
import { detailsPipeline, togetherPipeline, withinPipeline } from './pipelines.ts';
import { fromConversation, fromMember } from './presented-documents.ts';

const read = { ...committed, maxTimeMS: operationMs } as const;

type Shared = MemberDocument & { shared: ConversationDocument[]; pair: { u: StoredUuid }[] };
type Together = { me: MemberDocument[]; shared: ConversationDocument[]; pairs: { c: StoredUuid; u: StoredUuid }[] };
type Head = { seq: number; at: Date };
type Row = Shared & { head: Head[]; last: EntryDocument[]; unread: Unread[] };
/** What a window holds of a conversation. */
type Within = {
  _id: StoredUuid;
  head: Head;
  last: { entry: EntryDocument } | null;
  others: number[];
  calls: number[];
};

/** All that a list shows of its conversations, in one command each. */
export function listReads({ members }: ChatCollections): Pick<ReadStore, 'listed' | 'listedWithin'> {
  return {
    async listed(userId, conversationIds) {
      const match = matchOwn(userId, conversationIds);
      const rows = await members.aggregate<Row>([match, ...detailsPipeline], read).toArray();
      return rows.flatMap(({ head: [head], last: [last], unread: [unread], ...shared }) =>
        listed(shared, head, last, unread ?? { count: 0, mentions: 0 }),
      );
    },
    async listedWithin(userId, windows) {
      if (windows.length === 0) return [];
      const match = matchOwn(
        userId,
        windows.map(({ conversationId }) => conversationId),
      );
      // A look-up for each conversation would cost several times as much as the entries themselves.
      const entries = withinPipeline(windows.flatMap(addressesOf), storeUuid(userId));
      const rows = await members
        .aggregate<Together | Within>(
          [match, ...togetherPipeline, { $unionWith: { coll: 'entries', pipeline: entries } }],
          read,
        )
        .toArray();
      const withins = new Map(rows.flatMap((row) => ('others' in row ? [[readUuid(row._id), row] as const] : [])));
      const together = rows.find((row): row is Together => 'me' in row);
      return membersOf(together).flatMap((row) => {
        const within = withins.get(readUuid(row.c));
        return within ? listed(row, within.head, within.last?.entry, unreadIn(within, row)) : [];
      });
    },
  };
}

/** Each membership with what belongs to it. */
function membersOf(together: Together | undefined): Shared[] {
  if (!together) return [];
  const shared = new Map(together.shared.map((one) => [readUuid(one._id), one]));
  const pairs = new Map<string, { u: StoredUuid }[]>();
  for (const { c, u } of together.pairs) {
    const id = readUuid(c);
    pairs.set(id, [...(pairs.get(id) ?? []), { u }]);
  }
  return together.me.flatMap((me) => {
    const id = readUuid(me.c);
    const info = shared.get(id);
    return info ? [{ ...me, shared: [info], pair: pairs.get(id) ?? [] }] : [];
  });
}

function matchOwn(userId: string, conversationIds: readonly string[]) {
  const u = storeUuid(userId);
  const ids = conversationIds.map((id) => ({ c: storeUuid(id), u }));
  return { $match: { _id: { $in: ids }, leftSeq: null } };
}

function addressesOf({ conversationId, after, upTo }: Window): EntryAddress[] {
  const c = storeUuid(conversationId);
  return Array.from({ length: Math.max(0, upTo - after) }, (_, index) => ({ c, s: after + 1 + index }));
}

function unreadIn({ others, calls }: Within, { readSeq = 0, joinedSeq }: MemberDocument): Unread {
  const isNew = (seq: number): boolean => seq > Math.max(readSeq, joinedSeq);
  return { count: others.filter(isNew).length, mentions: calls.filter(isNew).length };
}

/** None for a conversation that is not projected yet. */
function listed(
  { shared: [shared], pair, ...member }: Shared,
  head: Head | undefined,
  last: EntryDocument | undefined,
  unread: Unread,
): Listed[] {
  if (!shared || !head) return [];
  const me = fromMember(member);
  return [
    {
      shared: fromConversation(shared),
      head: { conversationId: me.conversationId, seq: head.seq, at: head.at.getTime() },
      directUserIds: pair.map((other) => readUuid(other.u)),
      lastMessage: last ? fromDocument(last) : null,
      me,
      unread,
    },
  ];
}
