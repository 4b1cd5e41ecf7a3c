import { committed, durable, operationMs } from '@bluewave/mongo/connect';
import { storeUuid, type StoredUuid } from '@bluewave/mongo/uuid';
import type { LogEntry } from '../log/entry.ts';
import type { ChatCollections } from './collections.ts';

const read = { ...committed, maxTimeMS: operationMs } as const;
const write = { ...durable, maxTimeMS: operationMs } as const;

/**
 * Gives a message the text of its latest edit. What people wrote stands in `$literal`: without it a text that begins
 * with a dollar sign would be read as the name of a field.
 */
export async function projectEdit(
  collections: ChatCollections,
  entry: LogEntry & { body: { type: 'message:edited' } },
): Promise<void> {
  const { seq, at, body } = entry;
  const address = { c: storeUuid(entry.conversationId), s: body.target };
  const mentions = body.mentions ?? [];
  const ifNewest = (value: unknown, else_: string) => ({ $cond: [isNewest(seq), { $literal: value }, else_] });
  await collections.entries.updateOne(
    { _id: address },
    [
      {
        $set: {
          'body.original': {
            $cond: [{ $eq: ['$body.deletedAt', null] }, { $ifNull: ['$body.original', '$body.text'] }, '$$REMOVE'],
          },
          'body.edits': { $setUnion: [{ $ifNull: ['$body.edits', []] }, [seq]] },
          'body.text': ifNewest(body.text, '$body.text'),
          'body.editedAt': ifNewest(at, '$body.editedAt'),
          'body.mentions': ifNewest(mentions, '$body.mentions'),
          'body.mentionsAll': ifNewest(body.mentionsAll ?? false, '$body.mentionsAll'),
          mentions: ifNewest(mentions.map(storeUuid), '$mentions'),
        },
      },
    ],
    write,
  );
  // A deletion that came first took the content of the edits it knew; this one it did not.
  const target = await collections.entries.findOne({ _id: address }, { ...read, projection: { body: 1 } });
  if (target && 'deletedAt' in target.body && target.body.deletedAt !== null) {
    await blankEdits(collections, address.c, [seq]);
  }
}

/** An edit counts when no later one is known and the message is still there. */
function isNewest(seq: number) {
  return {
    $and: [{ $lt: [{ $ifNull: [{ $max: '$body.edits' }, 0] }, seq] }, { $eq: ['$body.deletedAt', null] }],
  };
}

/** Takes the content out of a message and its edits. @returns the message whose thread it was in, if any. */
export async function projectDeletion(
  collections: ChatCollections,
  entry: LogEntry & { body: { type: 'message:deleted' } },
): Promise<number | undefined> {
  const address = { c: storeUuid(entry.conversationId), s: entry.body.target };
  const after = await collections.entries.findOneAndUpdate(
    { _id: address },
    [
      {
        $set: {
          'body.text': '',
          'body.original': '$$REMOVE',
          'body.attachments': [],
          'body.mentions': '$$REMOVE',
          'body.mentionsAll': '$$REMOVE',
          'body.pinned': '$$REMOVE',
          // Nobody can tell any more whether it was edited: the same whichever came first.
          'body.editedAt': null,
          'body.deletedAt': { $min: ['$body.deletedAt', entry.at] },
          uploads: '$$REMOVE',
          reply: '$$REMOVE',
          mentions: '$$REMOVE',
        },
      },
    ],
    { ...write, returnDocument: 'after', projection: { 'body.type': 1, 'body.edits': 1, threadRoot: 1 } },
  );
  const edits = after?.body.type === 'message:new' ? after.body.edits : undefined;
  await blankEdits(collections, address.c, edits ?? []);
  return after?.threadRoot;
}

async function blankEdits(collections: ChatCollections, c: StoredUuid, seqs: number[]): Promise<void> {
  if (seqs.length === 0) return;
  await collections.entries.updateMany(
    { _id: { $in: seqs.map((s) => ({ c, s })) } },
    { $set: { 'body.text': '' }, $unset: { 'body.mentions': 1 } },
    write,
  );
}

/** Pins or unpins a message, unless it was deleted or a later entry has said otherwise. */
export async function projectPin(
  collections: ChatCollections,
  { conversationId, seq, body }: LogEntry & { body: { type: 'message:pinned' } },
): Promise<void> {
  const counts = {
    $and: [{ $lt: [{ $ifNull: ['$pinSeq', 0] }, seq] }, { $eq: ['$body.deletedAt', null] }],
  };
  await collections.entries.updateOne(
    { _id: { c: storeUuid(conversationId), s: body.target } },
    [
      {
        $set: {
          'body.pinned': { $cond: [counts, body.on, '$body.pinned'] },
          pinSeq: { $max: ['$pinSeq', seq] },
        },
      },
    ],
    write,
  );
}
