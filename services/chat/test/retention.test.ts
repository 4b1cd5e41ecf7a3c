import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { storeUuid } from '@bluewave/mongo/uuid';
import { createMetrics } from '@bluewave/runtime/metrics';
import { readConfig } from '../src/config.ts';
import { headBelievedMs } from '../src/log/log-writer.ts';
import { observeRetention } from '../src/metrics.ts';
import { type ChatUnderTest, eventually, startChatUnderTest } from './support/chat-under-test.ts';
import { environmentOf } from './support/environment.ts';
import { nth } from './support/nth.ts';
import { codeOf } from './support/outcomes.ts';
import type { Replica } from './support/replica.ts';
import { retentionBefore, retentionParts } from './support/retention.ts';

let chat: ChatUnderTest;
let replica: Replica;
let other: Replica;
/** How far the clock of chat is ahead of the machine's. */
let ahead = 0;
beforeAll(async () => {
  chat = await startChatUnderTest({
    clock: () => Date.now() + ahead,
    timings: { leaseMs: 1_500, renewMs: 50, recoveryMs: 200 },
    indexerTimings: { tickMs: 50, quietMs: 50, oldMs: 500, tailEntries: 128, sweep: 100 },
  });
  [replica, other] = chat.replicas;
}, 60_000);
afterAll(() => chat.close());

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const page = { limit: 50, cursor: '' };

/** Waits until search covers all logs: what it does not cover is not archived. */
async function indexed(): Promise<void> {
  await eventually(async () => {
    const behind = await chat.collections.conversations
      .aggregate([
        { $lookup: { from: 'entries', localField: 'indexed.next', foreignField: '_id', as: 'next' } },
        { $match: { $or: [{ indexed: { $exists: false } }, { next: { $ne: [] } }] } },
      ])
      .toArray();
    return behind.length === 0 ? true : undefined;
  });
}

/** Waits until what was written before a time is projected and published, and chat has said so. */
async function seenThrough(before: number): Promise<void> {
  const { store } = retentionParts(chat.collections);
  await eventually(async () => ((await store.doneUpTo()) >= before ? true : undefined));
}

/** Archives what was written before a time, in all conversations. */
async function archive(before: number, archiveMs = 0): Promise<void> {
  const { conversations } = chat.collections;
  await seenThrough(before);
  await indexed();
  const retention = retentionBefore(retentionParts(chat.collections, archiveMs), before);
  await retention.runOnce();
  await eventually(async () => {
    await retention.runOnce();
    return (await conversations.findOne({ 'archiving.since': { $exists: true } })) ? undefined : true;
  });
  await retention.close();
}

const seqsIn = async (conversationId: string, name: 'entries' | 'archivedEntries') =>
  (
    await chat.collections[name]
      .find({ _id: { $gt: { c: storeUuid(conversationId), s: 0 }, $lt: { c: storeUuid(conversationId), s: 1e9 } } })
      .sort({ _id: 1 })
      .toArray()
  ).map(({ _id }) => _id.s);
const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const search = async (actorId: string, conversationId: string, query: string) =>
  (await replica.insist.SearchMessages({ actorId, conversationId, query, senderId: '', type: '', ...page })).items.map(
    ({ message }) => message?.text,
  );

/**
 * A group whose first messages are old: 2 has all that can hang on a message, 3 is edited later; of the young ones 9
 * edits it, 10 answers 2, 11 is in the thread of 2, and 12 is a message.
 */
async function group() {
  const [owner, friend] = [randomUUID(), randomUUID()];
  const conversationId = await replica.group(owner, friend);
  const say = async (text: string, rest = {}) => {
    const { message } = await replica.send({ actorId: owner, conversationId, text, ...rest });
    return message?.seq ?? 0;
  };
  const target = { actorId: owner, conversationId, seq: await say('ancient root') };
  const edited = { actorId: owner, conversationId, seq: await say('ancient draft') };
  await replica.insist.React({ ...target, actorId: friend, emoji: 'a', on: true });
  await replica.insist.PinMessage({ ...target, on: true });
  await replica.insist.StarMessage({ ...target, actorId: friend, on: true });
  await say('ancient reply', { threadRootSeq: 2 });
  await say('ancient end');
  await wait(60);
  const before = Date.now();
  await wait(60);
  await replica.insist.EditMessage({ ...edited, text: 'ancient draft, edited' });
  await say('young answer', { replyToSeq: 2 });
  await say('young reply', { threadRootSeq: 2 });
  await say('young word');
  return { owner, friend, conversationId, target, before, floor: 8, head: 11 };
}

describe('given a group whose beginning became old', () => {
  let given: Awaited<ReturnType<typeof group>>;
  let old: unknown[];
  beforeAll(async () => {
    given = await group();
    const c = storeUuid(given.conversationId);
    // What is young changes the counts of what is old.
    await seenThrough(Date.now() + 1);
    old = await chat.collections.entries.find({ '_id.c': c, '_id.s': { $lt: given.floor } }).toArray();
    await archive(given.before, 60_000);
  }, 30_000);

  it('when it was archived, then the log goes on from the floor without a hole, and the archive has all the rest', async () => {
    const { conversationId, floor, head } = given;
    expect(await seqsIn(conversationId, 'entries')).toEqual(upTo(floor, head));
    expect(await seqsIn(conversationId, 'archivedEntries')).toEqual(upTo(1, floor - 1));
    const archived = await chat.collections.archivedEntries.find({ '_id.c': storeUuid(conversationId) }).toArray();
    const own = ['archivedAt', 'expireAt'];
    const asTheyWere = archived.map((entry) => Object.entries(entry).filter(([name]) => !own.includes(name)));
    expect(asTheyWere.map((fields) => Object.fromEntries(fields))).toEqual(old);
    for (const { archivedAt, expireAt } of archived) {
      expect((expireAt?.getTime() ?? 0) - archivedAt.getTime()).toBe(60_000);
    }
  });

  it('when members read it, then it begins at the floor, wherever they look', async () => {
    const { owner, friend, conversationId, target, floor, head } = given;
    const conversation = await replica.insist.GetConversation({ actorId: friend, conversationId, orRoom: false });
    expect(conversation).toMatchObject({ me: { firstSeq: floor, unread: 3 }, info: { head } });
    const list = { actorId: friend, conversationId, limit: 50 };
    for (const position of [{}, { after: 0 }, { around: 2 }, { before: head + 1 }]) {
      const { messages, hasBefore } = await replica.insist.ListMessages({ ...list, ...position });
      expect(messages.map(({ seq }) => seq)).toEqual(upTo(floor + 1, head));
      expect(hasBefore).toBe(false);
    }
    expect((await replica.insist.ListMessages({ ...list, before: floor })).messages).toEqual([]);
    expect(await search(friend, conversationId, 'ancient')).toEqual([]);
    expect(await search(friend, conversationId, 'young')).toEqual(['young word', 'young reply', 'young answer']);
    expect((await replica.insist.ListPins({ actorId: owner, conversationId, ...page })).messages).toEqual([]);
    expect((await replica.insist.ListStarred({ actorId: friend, ...page })).messages).toEqual([]);
    expect(await replica.insist.GetUnread({ actorId: friend })).toMatchObject({ total: 3 });
    const { conversations } = await replica.insist.ListConversations({ actorId: friend, ...page });
    expect(nth(conversations, 0)).toMatchObject({ me: { unread: 3 }, lastMessage: { text: 'young word' } });
    for (const gone of [target, { ...target, seq: 7 }]) {
      const at = { ...gone, actorId: friend };
      const to = { targetConversationId: conversationId, idempotencyKey: randomUUID(), repeatOnly: false };
      const calls = [
        replica.call.GetMessage(at),
        replica.call.React({ ...at, emoji: 'a', on: true }),
        replica.call.StarMessage({ ...at, on: true }),
        replica.call.ForwardMessage({ ...at, ...to }),
        replica.call.ListThread({ ...at, ...page }),
        replica.call.ListTexts(at),
        replica.call.ListReactions({ ...at, emoji: '', ...page }),
        replica.call.ListReceipts({ ...at, actorId: owner, ...page }),
        replica.call.DeleteMessage({ ...at, actorId: owner }),
        replica.call.PinMessage({ ...at, actorId: owner, on: true }),
        replica.call.ReportMessage({ ...at, reason: 'spam', note: '' }),
      ];
      expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => 'NOT_FOUND'));
      expect(await replica.send({ ...at, text: 'x', replyToSeq: at.seq })).toEqual({ code: 'NOT_FOUND' });
      expect(await replica.send({ ...at, text: 'x', threadRootSeq: at.seq })).toEqual({ code: 'NOT_FOUND' });
    }
  });

  it('when a device syncs from before the floor, then it is led to the floor and gets all from there', async () => {
    const { friend, conversationId, floor, head } = given;
    for (const cursor of [0, 3, floor - 1]) {
      const cursors = { [conversationId]: cursor };
      const answer = await replica.insist.Sync({ actorId: friend, cursors, token: '', limit: 200 });
      const one = nth(answer.conversations, 0);
      expect(one.entries.map(({ seq }) => seq)).toEqual(upTo(floor, head));
      expect(one).toMatchObject({ hasMore: false, conversation: { me: { firstSeq: floor }, info: { head } } });
    }
    const some = await replica.insist.ListEntries({ actorId: friend, conversationId, after: 2, limit: 2 });
    expect(some).toMatchObject({ head, hasMore: true, entries: [{ seq: floor }, { seq: floor + 1 }] });
  });

  it('when what is young is about something old, then it says that this is not there', async () => {
    const { friend, conversationId, floor } = given;
    const { entries } = await replica.insist.ListEntries({ actorId: friend, conversationId, after: 0, limit: 2 });
    expect(entries).toMatchObject([
      { seq: floor, messageDeleted: { seq: 3 } },
      { messageNew: { text: 'young answer', replyTo: null } },
    ]);
  });

  it('when somebody joins or comes back, then they begin at the floor, too', async () => {
    const { owner, friend, conversationId, floor, head } = given;
    const newcomer = randomUUID();
    await replica.insist.AddMembers({ actorId: owner, conversationId, userIds: [newcomer] });
    await replica.insist.RemoveMember({ actorId: owner, conversationId, userId: friend });
    await replica.insist.AddMembers({ actorId: owner, conversationId, userIds: [friend] });
    for (const actorId of [newcomer, friend]) {
      const conversation = await other.insist.GetConversation({ actorId, conversationId, orRoom: false });
      expect(conversation).toMatchObject({ me: { firstSeq: floor } });
      const { entries } = await other.insist.ListEntries({ actorId, conversationId, after: 0, limit: 50 });
      expect(entries.map(({ seq }) => seq)).toEqual(upTo(floor, head + 3));
    }
  });

  it('when it is put back as docs/operations.md says, then all can be read and found again', async () => {
    const { friend, conversationId, target, head } = given;
    await putBack(conversationId);
    expect(await seqsIn(conversationId, 'entries')).toEqual(upTo(1, head + 3));
    expect(await seqsIn(conversationId, 'archivedEntries')).toEqual([]);
    const at = { ...target, actorId: friend };
    expect(await replica.insist.GetMessage(at)).toMatchObject({ text: 'ancient root', thread: { replies: 2 } });
    const { reactions } = await replica.insist.ListReactions({ ...at, emoji: '', ...page });
    expect(reactions).toMatchObject([{ userId: friend, emoji: 'a' }]);
    const { entries } = await replica.insist.ListEntries({ actorId: friend, conversationId, after: 0, limit: 50 });
    expect(entries.map(({ seq }) => seq)).toEqual(upTo(1, head + 3));
    await eventually(async () => ((await search(friend, conversationId, 'ancient')).length === 4 ? true : undefined));
  }, 30_000);
});

async function putBack(conversationId: string): Promise<void> {
  const { archivedEntries, entries, conversations, members } = chat.collections;
  const c = storeUuid(conversationId);
  const of = { _id: { $gt: { c, s: 0 }, $lt: { c, s: Number.POSITIVE_INFINITY } } };
  const $group = {
    _id: { c: '$c', s: '$body.target', u: '$senderId', e: '$body.emoji' },
    ...{ on: { $last: '$body.on' }, seq: { $last: '$_id.s' }, at: { $last: '$at' } },
  };
  await archivedEntries
    .aggregate([
      { $match: of },
      { $unset: ['archivedAt', 'expireAt'] },
      { $merge: { into: 'entries', whenMatched: 'keepExisting' } },
    ])
    .toArray();
  await entries
    .aggregate([
      { $match: { ...of, 'body.type': 'message:reaction' } },
      { $sort: { '_id.s': 1 } },
      { $group },
      { $set: { c: '$_id.c', s: '$_id.s', u: '$_id.u', e: '$_id.e' } },
      { $merge: { into: 'reactions', whenMatched: 'keepExisting' } },
    ])
    .toArray();
  await conversations.updateOne({ _id: c }, { $unset: { floor: 1, archiving: 1, lookFrom: 1, indexed: 1 } });
  await members.updateMany({ c }, [{ $set: { firstSeq: 1 } }]);
  await archivedEntries.deleteMany(of);
}

describe('given a direct conversation of which all is old', () => {
  it('when it was archived, then its last entry stays and it goes on from there', async () => {
    const [one, two] = [randomUUID(), randomUUID()];
    const create = { actorId: one, userIds: [two], type: 'direct', name: '', description: '', idempotencyKey: '' };
    const { conversation } = await replica.insist.CreateConversation(create);
    const conversationId = conversation?.info?.id ?? '';
    for (const text of ['a', 'b', 'c']) await replica.say(one, conversationId, text);
    await archive(Date.now() + 1);
    expect(await seqsIn(conversationId, 'entries')).toEqual([4]);
    const again = await other.insist.CreateConversation({ ...create, actorId: two, userIds: [one] });
    expect(again.conversation).toMatchObject({ info: { id: conversationId, head: 4 }, me: { firstSeq: 4 } });
    expect((await other.say(two, conversationId, 'd')).seq).toBe(5);
    expect((await replica.say(one, conversationId, 'e')).seq).toBe(6);
    const { messages } = await other.insist.ListMessages({ actorId: two, conversationId, limit: 10 });
    expect(messages.map(({ text }) => text)).toEqual(['c', 'd', 'e']);
  }, 30_000);
});

describe('given entries that are not published', () => {
  it('when they are old, then they stay until they are', async () => {
    const owner = randomUUID();
    const conversationId = await replica.group(owner);
    for (const text of ['a', 'b', 'c']) await replica.say(owner, conversationId, text);
    await wait(100);
    const boot = { _id: storeUuid(randomUUID()), watermark: new Date(0), leaseUntil: new Date(Date.now() + 3_600_000) };
    await chat.collections.boots.insertOne(boot);
    const retention = retentionBefore(retentionParts(chat.collections), Date.now());
    await retention.runOnce();
    expect((await chat.collections.conversations.findOne({ _id: storeUuid(conversationId) }))?.floor).toBeUndefined();
    await chat.collections.boots.deleteOne({ _id: boot._id });
    await retention.close();
    await archive(Date.now());
    expect(await seqsIn(conversationId, 'entries')).toEqual([4]);
  }, 30_000);
});

describe('given much that is not old', () => {
  it('when retention runs, then no query scans a collection or sorts in memory', async () => {
    const owner = randomUUID();
    for (let count = 0; count < 3; count += 1) await replica.group(owner);
    const conversationId = await replica.group(owner, randomUUID());
    for (const text of ['a', 'b', 'c']) await replica.say(owner, conversationId, text);
    await wait(60);
    await indexed();
    const { db } = chat.collections;
    await db.createCollection('system.profile', { capped: true, size: 16 * 1024 * 1024 });
    await db.command({ profile: 2 });
    const retention = retentionBefore(retentionParts(chat.collections), Date.now());
    await eventually(async () => {
      await retention.runOnce();
      return (await seqsIn(conversationId, 'entries')).length === 1 ? true : undefined;
    });
    await retention.close();
    await db.command({ profile: 0 });
    const all = await db.collection('system.profile').find({}).toArray();
    const ours = all.filter(({ ns, planSummary }) => planSummary && !String(ns).endsWith('system.profile'));
    const bad = ours.filter(({ planSummary, hasSortStage }) => /COLLSCAN/.test(String(planSummary)) || hasSortStage);
    expect(bad.map((one) => `${one['ns']} ${one['planSummary']} ${JSON.stringify(one['command'])}`)).toEqual([]);
    expect(ours.length).toBeGreaterThan(15);
  }, 30_000);
});

describe('given several processes', () => {
  it('when one has the job, then the others leave it alone until its lease is over or it is closed', async () => {
    const runs: string[] = [];
    const open = (name: string, after = 0) => {
      const now = Date.now() + after;
      const rest = { holder: name, clock: () => now, onRun: () => void runs.push(name) };
      return retentionBefore(retentionParts(chat.collections), 0, rest);
    };
    const [first, second, late] = [open('first'), open('second'), open('late', 61_000)];
    for (const one of [first, second, late, first]) await one.runOnce();
    expect(runs).toEqual(['first', 'late', 'first']);
    await late.close();
    await second.runOnce();
    expect(runs.at(-1)).toBe('second');
    await Promise.all([first.close(), second.close()]);
  });

  it('when it runs, then it tells how much it moved and when', async () => {
    const registry = createMetrics('chat');
    const { onRun, onArchived } = observeRetention(registry);
    onRun(2_000);
    onArchived(3);
    const text = await registry.metrics();
    expect(text).toMatch(/bluewave_chat_archived_entries_total\S* 3/);
    expect(text).toMatch(/bluewave_chat_retention_last_run_seconds\S* 2/);
  });
});

describe('given the environment', () => {
  const required = { MONGODB_URL: environmentOf('TEST_MONGODB_URL'), NATS_URL: environmentOf('TEST_NATS_URL') };
  it('when nothing is said of retention, then everything is kept', () => {
    expect(readConfig(required).retention).toMatchObject({ keepMs: 0, archiveMs: 0 });
  });
  it('when days are given, then they are', () => {
    const days = { RETENTION_DAYS: '30', RETENTION_SWEEP_SECONDS: '60', ARCHIVE_KEEP_DAYS: '365' };
    const retention = { keepMs: 30 * 86_400_000, sweepMs: 60_000, archiveMs: 365 * 86_400_000 };
    expect(readConfig({ ...required, ...days }).retention).toEqual(retention);
  });
});

describe('given a replica that knows an old end of a log', () => {
  it('when what came after was archived, then it does not write there', async () => {
    const owner = randomUUID();
    const conversationId = await replica.group(owner);
    await replica.say(owner, conversationId, 'the last that the first replica sees');
    for (let count = 0; count < 5; count += 1) await other.say(owner, conversationId, 'more');
    await archive(Date.now() + 1);
    expect(await seqsIn(conversationId, 'entries')).toEqual([7]);
    // In service nothing becomes old sooner. From here on the clock stays ahead: this is the last test.
    ahead = headBelievedMs + 1_000;
    expect((await replica.say(owner, conversationId, 'late')).seq).toBe(8);
  }, 30_000);
});
