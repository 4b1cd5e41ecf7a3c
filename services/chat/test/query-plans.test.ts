import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listingOf } from '../src/conversations/room-listing.ts';
import { createMongoReadStore } from '../src/storage/mongo-read-store.ts';
import { headPipeline, lastMessagePipeline, unreadPipeline } from '../src/storage/pipelines.ts';
import { storeUuid } from '@bluewave/mongo/uuid';
import { type ChatUnderTest, eventually, startChatUnderTest } from './support/chat-under-test.ts';
import { type LongHistory, writeLongHistory } from './support/long-history.ts';
import { nth } from './support/nth.ts';

type Profiled = {
  op: string;
  ns: string;
  command?: Record<string, unknown>;
  planSummary?: string;
  hasSortStage?: boolean;
  docsExamined?: number;
  nreturned?: number;
};

let chat: ChatUnderTest;
let histories: LongHistory[];
beforeAll(async () => {
  // A lease so short that recovery has something to do.
  chat = await startChatUnderTest({ timings: { leaseMs: 1_500, renewMs: 100, recoveryMs: 200 } });
  histories = [];
  for (let index = 0; index < 3; index += 1) histories.push(await writeLongHistory(chat, 1_000));
}, 60_000);
afterAll(() => chat.close());

/** Every kind of request once, on a database where a scan would cost. */
async function useEverything(): Promise<void> {
  const [replica] = chat.replicas;
  const { conversationId, owner, friend } = nth(histories, 0);
  const uploadId = randomUUID();
  const attachment = { uploadId, kind: 'image', fileName: 'a.png', contentType: 'image/png', size: 1 };
  const id = await replica.group(owner, friend, randomUUID());
  await replica.insist.AddMembers({ actorId: owner, conversationId: id, userIds: [randomUUID()] });
  const one = { actorId: owner, conversationId: id, text: 'x', clientMsgId: randomUUID(), attachments: [attachment] };
  for (const each of chat.replicas) await each.send(one);
  await replica.insist.EditMessage({ actorId: owner, conversationId: id, seq: 3, text: 'y' });
  await replica.mark(friend, id, { readSeq: 2 });
  await replica.insist.DeleteMessage({ actorId: owner, conversationId: id, seq: 3 });
  await useMarks(owner, id);
  await replica.insist.RemoveMember({ actorId: owner, conversationId: id, userId: friend });
  const actor = { actorId: owner, conversationId };
  await replica.insist.GetConversation(actor);
  await replica.insist.ListConversations({ actorId: owner, limit: 10, cursor: '' });
  await replica.insist.ListMemberships({ actorId: owner });
  await replica.insist.ListMembers({ ...actor, limit: 10, cursor: '' });
  for (const seq of [10, 500]) await replica.insist.GetMessage({ ...actor, seq: seq + 1 });
  for (const where of [{}, { before: 500 }, { after: 500 }, { around: 500 }]) {
    await replica.insist.ListMessages({ ...actor, ...where, limit: 50 });
  }
  const search = { actorId: owner, query: 'text 50', senderId: '', type: '', limit: 50, cursor: '' };
  for (const where of ['', conversationId]) {
    await replica.insist.SearchMessages({ ...search, conversationId: where });
    await replica.insist.SearchMessages({
      ...search,
      conversationId: where,
      query: 'text',
      beforeMs: 1_700_000_000_500,
    });
  }
  await replica.insist.ListEntries({ ...actor, after: 900, limit: 50 });
  await replica.insist.Sync({ actorId: owner, cursors: { [conversationId]: 900 }, token: '', limit: 50 });
  await replica.insist.GetHeads({ conversationIds: [conversationId] });
  await replica.insist.GetRecipients({ conversationId, seq: 11 });
  await replica.insist.CanOpenUpload({ actorId: owner, uploadId });
  await replica.insist.FilterAcquainted({ actorId: owner, userIds: [friend, randomUUID()] });
  await createMongoReadStore(chat.collections).conversationsShowing(uploadId);
  await usePeople(owner);
  await useRooms(owner);
  // A boot whose process is gone: recovery claims it, reads what it wrote and lets it go.
  const boot = storeUuid(randomUUID());
  await chat.collections.boots.insertOne({ _id: boot, watermark: new Date(0), leaseUntil: new Date(1) });
  await eventually(async () => ((await chat.collections.boots.findOne({ _id: boot })) ? undefined : true));
}

/** Rooms so many that reading too much of them would show. */
async function useRooms(actorId: string): Promise<void> {
  const [{ insist: call }] = chat.replicas;
  const { conversations, members } = chat.collections;
  const others = Array.from({ length: 200 }, (_, index) => ({
    ...{ _id: storeUuid(randomUUID()), type: 'room' as const, name: `room ${index}`, description: '' },
    ...{ createdBy: storeUuid(actorId), createdAt: new Date(), updatedAt: new Date(), memberCount: 1, appliedSeq: 1 },
    listing: listingOf({ id: `${index}`, name: `room ${index}`, memberCount: 1 }),
  }));
  await conversations.insertMany(others);
  const conversationId = await chat.replicas[0].room(actorId, 'Engine room');
  const [guest, outsider, avatarUploadId] = [randomUUID(), randomUUID(), randomUUID()];
  for (const query of ['', 'room', 'engi roo', 'engine roomxyzabc']) {
    const { nextCursor } = await call.DiscoverRooms({ actorId: guest, query, limit: 10, cursor: '' });
    if (nextCursor) await call.DiscoverRooms({ actorId: guest, query, limit: 10, cursor: nextCursor });
  }
  await call.GetConversation({ actorId: guest, conversationId, orRoom: true });
  await call.JoinConversation({ actorId: guest, conversationId });
  await call.UpdateConversation({ actorId, conversationId, name: 'Other', avatarUploadId });
  await call.CanOpenUpload({ actorId: outsider, uploadId: avatarUploadId });
  await call.ChangeRole({ actorId, conversationId, userId: guest, role: 'moderator' });
  await call.UpdateMembership({ actorId: guest, conversationId, archived: true, mutedUntilMs: Date.now() });
  const c = storeUuid(conversationId);
  const ban = { reason: '', until: null };
  const banned = Array.from({ length: 200 }, () => storeUuid(randomUUID())).map((u) => ({
    ...{ _id: { c, u }, c, u, role: 'member' as const, joinedSeq: 1, joinedAt: new Date(), firstSeq: 1 },
    ...{ leftSeq: 1, appliedSeq: 1, ban },
  }));
  await members.insertMany(banned);
  await call.BanUser({ actorId, conversationId, userId: outsider, reason: '', untilMs: 0 });
  const { nextCursor } = await call.ListBans({ actorId, conversationId, limit: 10, cursor: '' });
  await call.ListBans({ actorId, conversationId, limit: 10, cursor: nextCursor });
  await call.LiftBan({ actorId, conversationId, userId: outsider });
  await call.TransferOwnership({ actorId, conversationId, userId: guest });
  await call.DeleteConversation({ actorId: guest, conversationId });
}

/** What hangs on messages, beside so much of others that reading too much of it would show. */
async function useMarks(actorId: string, conversationId: string): Promise<void> {
  const [replica] = chat.replicas;
  const { insist: call } = replica;
  const sent = await replica.send({ actorId, conversationId, text: 'root' });
  const place = { actorId, conversationId, seq: sent.message?.seq ?? 0 };
  await replica.send({ actorId, conversationId, text: 'reply', threadRootSeq: place.seq, replyToSeq: place.seq });
  for (const emoji of ['a', 'b', 'c']) await call.React({ ...place, emoji, on: true });
  await call.React({ ...place, emoji: 'c', on: false });
  await call.PinMessage({ ...place, on: true });
  await call.StarMessage({ ...place, on: true });
  await call.ReportMessage({ ...place, reason: 'spam', note: '' });
  const to = { targetConversationId: conversationId, idempotencyKey: randomUUID(), repeatOnly: false };
  await call.ForwardMessage({ ...place, ...to });
  await fillMarks(actorId, conversationId, place.seq);
  const page = { limit: 1, cursor: '' };
  for (const emoji of ['', 'a']) {
    const { nextCursor } = await call.ListReactions({ ...place, ...page, emoji });
    await call.ListReactions({ ...place, emoji, limit: 1, cursor: nextCursor || '9.a' });
  }
  await call.ListPins({ ...place, ...page });
  await call.ListThread({ ...place, ...page });
  await call.ListTexts(place);
  await call.ListReceipts({ ...place, ...page });
  const starred = await call.ListStarred({ actorId, ...page });
  await call.ListStarred({ actorId, limit: 1, cursor: starred.nextCursor });
  await call.Sync({ actorId, cursors: { [conversationId]: 1 }, token: `t1.${Date.now()}`, limit: 10 });
  await call.GetUnread({ actorId });
}

/** Stars long ago and of others, and reactions to other messages. */
async function fillMarks(actorId: string, conversationId: string, seq: number): Promise<void> {
  const { stars, reactions } = chat.collections;
  const c = storeUuid(conversationId);
  const at = new Date(0);
  for (const u of [actorId, randomUUID()].map(storeUuid)) {
    const many = Array.from({ length: 200 }, (_, index) => index + 1_000);
    await stars.insertMany(many.map((s) => ({ _id: { u, c, s }, u, on: s % 2 === 0, at })));
    await reactions.insertMany(
      many.map((s) => ({ _id: { c, s: s + seq, u, e: 'a' }, c, s: s + seq, u, e: 'a', on: true, seq: 5, at })),
    );
  }
}

/** Lists of people so long that reading too much of them would show. */
async function usePeople(actorId: string): Promise<void> {
  const [{ insist: call }] = chat.replicas;
  const { contacts, blocks } = chat.collections.people;
  for (const u of [actorId, randomUUID()].map(storeUuid)) {
    const at = new Date();
    const rows = () => Array.from({ length: 200 }, () => ({ _id: { u, o: storeUuid(randomUUID()) }, at }));
    await contacts.insertMany(rows());
    await blocks.insertMany(rows());
  }
  const userId = randomUUID();
  for (let time = 0; time < 2; time += 1) {
    await call.PutContact({ actorId, userId, alias: 'x' });
    await call.PutBlock({ actorId, userId });
  }
  const { nextCursor } = await call.ListContacts({ actorId, limit: 10, cursor: '' });
  await call.ListContacts({ actorId, limit: 10, cursor: nextCursor });
  await call.ListBlocks({ actorId, limit: 10, cursor: nextCursor });
  await call.FindBlockers({ actorId: userId, userIds: [actorId] });
  await call.LocateDirect({ actorId, userId });
  const direct = { type: 'direct', name: '', description: '', idempotencyKey: '' };
  const { conversation } = await call.CreateConversation({ ...direct, actorId, userIds: [userId] });
  await chat.replicas[0].send({ actorId, conversationId: conversation?.info?.id ?? '', text: 'x' });
  await call.ListMemberships({ actorId });
  await call.RemoveContact({ actorId, userId });
  await call.RemoveBlock({ actorId, userId });
}

describe('given a database with some history', () => {
  it('when everything is asked of the service, then no query scans a collection, sorts in memory or reads much', async () => {
    const { db } = chat.collections;
    // Room for all of it: the default forgets the first requests when the last come.
    await db.createCollection('system.profile', { capped: true, size: 64 * 1024 * 1024 });
    await db.command({ profile: 2 });
    await useEverything();
    await db.command({ profile: 0 });
    const all = await db.collection<Profiled>('system.profile').find({}).toArray();
    const ours = all.filter(({ ns }) => !ns.endsWith('system.profile'));
    const queries = ours.filter(({ planSummary }) => planSummary !== undefined);
    const describe = ({ ns, planSummary, command }: Profiled) =>
      `${ns.split('.')[1]} ${planSummary} ${JSON.stringify(command).slice(0, 300)}`;
    const scans = queries.filter(({ planSummary }) => planSummary?.includes('COLLSCAN'));
    expect(scans.map(describe)).toEqual([]);
    expect(queries.filter(({ hasSortStage }) => hasSortStage).map(describe)).toEqual([]);
    // Counting unread messages is the one thing that reads what it does not return.
    const wasteful = queries.filter(
      ({ docsExamined = 0, nreturned = 0, command }) =>
        docsExamined > 20 * (nreturned + 2) && !JSON.stringify(command).includes('"unread"'),
    );
    expect(wasteful.map(describe)).toEqual([]);
    const collections = new Set(queries.map(({ ns }) => ns.split('.')[1]));
    expect([...collections].sort()).toEqual([
      ...['blocks', 'boots', 'contacts', 'conversations', 'entries', 'forwards', 'members'],
      ...['reactions', 'reports', 'search_chunks', 'stars', 'trails'],
    ]);
    expect(queries.length).toBeGreaterThan(60);
  }, 30_000);

  it('when conversations are looked up in the log, then each costs one seek in the index', async () => {
    const { conversations, members } = chat.collections;
    const ids = histories.map(({ conversationId }) => storeUuid(conversationId));
    const match = { $match: { _id: { $in: ids } } };
    const asMember = { $project: { _id: 0, c: '$_id' } };
    const byPair = histories.map(({ conversationId, owner }) => ({
      c: storeUuid(conversationId),
      u: storeUuid(owner),
    }));
    const plans = await Promise.all([
      conversations.aggregate([match, asMember, ...headPipeline('$c')]).explain('executionStats'),
      conversations.aggregate([match, ...lastMessagePipeline]).explain('executionStats'),
      members.aggregate([{ $match: { _id: { $in: byPair } } }, ...unreadPipeline]).explain('executionStats'),
    ]);
    const lookups = plans.flatMap((plan) => lookupsIn(plan));
    expect(lookups.map(({ collectionScans, indexesUsed }) => ({ collectionScans, indexesUsed }))).toEqual(
      Array.from({ length: 3 }, () => ({ collectionScans: 0, indexesUsed: ['_id_'] })),
    );
    const [heads, last, unread] = lookups.map(({ totalDocsExamined }) => totalDocsExamined);
    expect(heads).toBe(3);
    expect(last).toBeLessThanOrEqual(3 * 3);
    expect(unread).toBeLessThanOrEqual(3 * 1_000);
  });
});

type Lookup = { collectionScans: number; totalDocsExamined: number; indexesUsed: string[] };

/** The execution figures of every $lookup stage in a plan, however deep. */
function lookupsIn(plan: unknown): Lookup[] {
  if (typeof plan !== 'object' || plan === null) return [];
  if (Array.isArray(plan)) return plan.flatMap(lookupsIn);
  if ('$lookup' in plan && 'collectionScans' in plan) {
    const { collectionScans, totalDocsExamined, indexesUsed } = plan as unknown as Record<keyof Lookup, never>;
    return [{ collectionScans: Number(collectionScans), totalDocsExamined: Number(totalDocsExamined), indexesUsed }];
  }
  return Object.values(plan).flatMap(lookupsIn);
}
