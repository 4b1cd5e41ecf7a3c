import { committed, operationMs } from '@bluewave/mongo/connect';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import type { Listed, ReadStore, Unread } from '../reading/read-store.ts';
import type { ChatCollections, ConversationDocument, MemberDocument } from './collections.ts';
import { type EntryDocument, fromDocument } from './entry-document.ts';
import { detailsPipeline } from './pipelines.ts';
import { fromConversation, fromMember } from './presented-documents.ts';

const read = { ...committed, maxTimeMS: operationMs } as const;

type Row = MemberDocument & {
  shared: ConversationDocument[];
  head: { seq: number; at: Date }[];
  last: EntryDocument[];
  unread: Unread[];
  pair: { u: MemberDocument['u'] }[];
};

/** All that a list shows of its conversations, in one command. */
export function listReads({ members }: ChatCollections): Pick<ReadStore, 'listed'> {
  return {
    async listed(userId, conversationIds) {
      const u = storeUuid(userId);
      const ids = conversationIds.map((id) => ({ c: storeUuid(id), u }));
      const match = { $match: { _id: { $in: ids }, leftSeq: null } };
      const rows = await members.aggregate<Row>([match, ...detailsPipeline], read).toArray();
      return rows.flatMap(fromRow);
    },
  };
}

function fromRow({ shared: [shared], head: [head], last: [last], unread: [unread], pair, ...member }: Row): Listed[] {
  if (!shared || !head) return [];
  const me = fromMember(member);
  return [
    {
      shared: fromConversation(shared),
      head: { conversationId: me.conversationId, seq: head.seq, at: head.at.getTime() },
      directUserIds: pair.map((other) => readUuid(other.u)),
      lastMessage: last ? fromDocument(last) : null,
      me,
      unread: unread ?? { count: 0, mentions: 0 },
    },
  ];
}
