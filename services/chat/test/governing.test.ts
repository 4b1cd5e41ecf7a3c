import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { userEvent } from '@bluewave/events/codec';
import { EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import { storeUuid } from '@bluewave/mongo/uuid';
import type { UserEvent } from '@bluewave/protos/generated/bluewave/events/v1/UserEvent';
import { createMongoEntryStore } from '../src/storage/mongo-entry-store.ts';
import { type ChatUnderTest, eventually, startChatUnderTest } from './support/chat-under-test.ts';
import { testLog } from './support/environment.ts';
import { codeOf } from './support/outcomes.ts';

let chat: ChatUnderTest;
beforeAll(async () => {
  // Leases so short that recovery has its say within a test.
  chat = await startChatUnderTest({ timings: { leaseMs: 3_000, renewMs: 200, recoveryMs: 200 } });
});
afterAll(() => chat.close());

const scene = async () => {
  const [owner, member, other] = [randomUUID(), randomUUID(), randomUUID()];
  const conversationId = await chat.replicas[0].group(owner, member, other);
  return { owner, member, other, conversationId };
};
const rolesOf = async (actorId: string, conversationId: string) => {
  const { members } = await chat.replicas[1].insist.ListMembers({ actorId, conversationId, limit: 50, cursor: '' });
  return new Map(members.map(({ userId, role }) => [userId, role]));
};

describe('given a group', () => {
  it('when an admin changes it, then every member sees it as it is now, and the entries tell it', async () => {
    const { owner, member, conversationId } = await scene();
    const [first, second] = chat.replicas;
    const change = { name: 'Engines', description: 'of all kinds', history: 'joined', slowModeSeconds: 30 };
    const updated = await first.insist.UpdateConversation({ actorId: owner, conversationId, ...change });
    expect(updated.info).toMatchObject({ ...change, head: 2 });
    const seen = await second.insist.GetConversation({ actorId: member, conversationId });
    expect(seen.info).toMatchObject(change);
    await first.insist.UpdateConversation({ actorId: owner, conversationId, ...change });
    const { entries, head } = await second.insist.ListEntries({ actorId: member, conversationId, after: 1, limit: 10 });
    expect(head).toBe(2);
    expect(entries).toMatchObject([{ seq: 2, actorId: owner, conversationUpdated: { ...change, memberCount: 3 } }]);
    const { messages } = await second.insist.ListMessages({ actorId: member, conversationId, limit: 10 });
    expect(messages).toMatchObject([{ seq: 2, type: 'system', system: { event: 'renamed', name: 'Engines' } }]);
    const plain = second.insist.UpdateConversation({ actorId: member, conversationId, name: 'mine' });
    expect(await codeOf(plain)).toBe('FORBIDDEN');
  });

  it('when members come and go, then history tells it in system messages', async () => {
    const { owner, member, other, conversationId } = await scene();
    const [first, second] = chat.replicas;
    const newcomer = randomUUID();
    await first.insist.AddMembers({ actorId: owner, conversationId, userIds: [newcomer] });
    await codeOf(first.insist.RemoveMember({ actorId: owner, conversationId, userId: other }));
    await codeOf(first.insist.RemoveMember({ actorId: member, conversationId, userId: member }));
    const { messages } = await second.insist.ListMessages({ actorId: owner, conversationId, limit: 10 });
    expect(messages.map(({ seq, senderId, system }) => ({ seq, senderId, system }))).toEqual([
      { seq: 2, senderId: owner, system: { event: 'added', userIds: [newcomer], name: '' } },
      { seq: 3, senderId: owner, system: { event: 'removed', userIds: [other], name: '' } },
      { seq: 4, senderId: member, system: { event: 'left', userIds: [member], name: '' } },
    ]);
  });

  it('when roles are given, then they are in force at once on both replicas', async () => {
    const { owner, member, other, conversationId } = await scene();
    const [first, second] = chat.replicas;
    const give = (actorId: string, userId: string, role: string) =>
      first.insist.ChangeRole({ actorId, conversationId, userId, role });
    expect(await give(owner, member, 'admin')).toMatchObject({ userId: member, role: 'admin' });
    const renamed = await second.insist.UpdateConversation({ actorId: member, conversationId, name: 'by the admin' });
    expect(renamed.info?.name).toBe('by the admin');
    expect(await give(member, other, 'moderator')).toMatchObject({ role: 'moderator' });
    expect(await codeOf(give(member, other, 'admin'))).toBe('FORBIDDEN');
    expect(await codeOf(give(member, owner, 'member'))).toBe('FORBIDDEN');
    expect(await codeOf(give(owner, owner, 'member'))).toBe('OWNER_MUST_TRANSFER');
    expect(await codeOf(give(owner, other, 'emperor'))).toBe('VALIDATION_FAILED');
    await give(member, member, 'member');
    const demoted = second.insist.UpdateConversation({ actorId: member, conversationId, name: 'still' });
    expect(await codeOf(demoted)).toBe('FORBIDDEN');
  });

  it('when the owner passes it on, then they are an admin and may leave', async () => {
    const { owner, member, other, conversationId } = await scene();
    const [first, second] = chat.replicas;
    const leave = () => second.insist.RemoveMember({ actorId: owner, conversationId, userId: owner });
    expect(await codeOf(leave())).toBe('OWNER_MUST_TRANSFER');
    await codeOf(first.insist.TransferOwnership({ actorId: owner, conversationId, userId: member }));
    expect(await rolesOf(other, conversationId)).toEqual(
      new Map([
        [owner, 'admin'],
        [member, 'owner'],
        [other, 'member'],
      ]),
    );
    const { entries } = await second.insist.ListEntries({ actorId: other, conversationId, after: 1, limit: 10 });
    expect(entries).toMatchObject([{ memberUpdated: { userId: member, role: 'owner', demotedUserId: owner } }]);
    await codeOf(leave());
    expect((await rolesOf(other, conversationId)).has(owner)).toBe(false);
  });

  it('when the last member leaves, then it stays, empty', async () => {
    const owner = randomUUID();
    const conversationId = await chat.replicas[0].group(owner);
    await codeOf(chat.replicas[0].insist.RemoveMember({ actorId: owner, conversationId, userId: owner }));
    expect(await codeOf(chat.replicas[1].insist.GetConversation({ actorId: owner, conversationId }))).toBe('NOT_FOUND');
    expect((await chat.log(conversationId)).map(({ body }) => body.type)).toEqual(['member:added', 'member:removed']);
  });

  it('when its owner deletes it, then it is there for nobody, and a sync takes it away', async () => {
    const { owner, member, conversationId } = await scene();
    const [first, second] = chat.replicas;
    expect(await codeOf(second.insist.DeleteConversation({ actorId: member, conversationId }))).toBe('FORBIDDEN');
    await codeOf(first.insist.DeleteConversation({ actorId: owner, conversationId }));
    expect((await chat.log(conversationId)).map(({ seq, body }) => [seq, body.type])).toEqual([
      [1, 'member:added'],
      [2, 'conversation:deleted'],
    ]);
    for (const { insist: call } of chat.replicas) {
      for (const actorId of [owner, member]) {
        const actor = { actorId, conversationId };
        expect(await codeOf(call.GetConversation(actor))).toBe('NOT_FOUND');
        expect(await codeOf(call.ListMessages({ ...actor, limit: 10 }))).toBe('NOT_FOUND');
        expect(await codeOf(call.UpdateConversation({ ...actor, name: 'again' }))).toBe('NOT_FOUND');
        expect(await codeOf(call.DeleteConversation(actor))).toBe('NOT_FOUND');
        const synced = await call.Sync({ actorId, cursors: { [conversationId]: 1 }, token: '', limit: 10 });
        expect(synced).toMatchObject({ conversations: [], removed: [conversationId] });
      }
    }
    expect(await first.send({ actorId: owner, conversationId, text: 'late' })).toEqual({ code: 'NOT_FOUND' });
    expect(await second.send({ actorId: member, conversationId, text: 'late' })).toEqual({ code: 'NOT_FOUND' });
  });

  it('when the process that deletes it dies at once, then another tells every member all the same', async () => {
    const { owner, member, other, conversationId } = await scene();
    const bus = new EventBus({ url: chat.config.natsUrl, name: 'test', log: testLog });
    const heard: UserEvent[] = [];
    const everybody = [owner, member, other];
    for (const userId of everybody) {
      bus.subscribe(subjects.user(userId), ({ data }) => void heard.push(userEvent.decode(data)));
    }
    await (await bus.connection()).flush();
    const [boot, at] = [randomUUID(), Date.now()];
    const entry = { conversationId, seq: 2, senderId: owner, clientMsgId: randomUUID(), bodyHash: new Uint8Array(32) };
    await createMongoEntryStore(chat.collections, testLog, Date.now).insert(
      [{ ...entry, body: { type: 'conversation:deleted' }, at, by: boot }],
      false,
    );
    await chat.collections.boots.insertOne({
      ...{ _id: storeUuid(boot), watermark: new Date(at), leaseUntil: new Date(at - 1) },
    });
    await eventually(async () => {
      const told = new Set(heard.flatMap((event) => (event.conversationRemoved?.seq === 2 ? [event.userId] : [])));
      return everybody.every((userId) => told.has(userId)) ? true : undefined;
    }, 20_000);
    await bus.close();
    expect(await codeOf(chat.replicas[0].insist.GetConversation({ actorId: member, conversationId }))).toBe(
      'NOT_FOUND',
    );
  }, 30_000);
});

describe('given a member who arranges their conversations', () => {
  it('when they archive, pin or mute one, then only they see it so, and a sync with a token tells their devices', async () => {
    const { owner, member, conversationId } = await scene();
    const [first, second] = chat.replicas;
    const quiet = await second.group(member, owner);
    const until = Date.now() + 3_600_000;
    // A token forgives 10 s between servers; this one is from long ago for what happened before.
    const token = `t1.${Date.now() + 11_000}`;
    const settings = { archived: true, pinned: true, mutedUntilMs: until, notify: 'mentions' };
    const answer = await first.insist.UpdateMembership({ actorId: member, conversationId, ...settings });
    expect(answer.me).toMatchObject(settings);
    const view = async (actorId: string) => (await second.insist.GetConversation({ actorId, conversationId })).me;
    expect(await view(member)).toMatchObject(settings);
    expect(await view(owner)).toMatchObject({ archived: false, pinned: false, mutedUntilMs: 0, notify: 'all' });

    const cursors = { [conversationId]: 1, [quiet]: 1 };
    const before = await second.insist.Sync({ actorId: member, cursors, token, limit: 10 });
    expect(before.conversations).toEqual([]);
    const synced = await second.insist.Sync({ actorId: member, cursors, token: `t1.${Date.now()}`, limit: 10 });
    const ids = synced.conversations.map(({ conversation }) => conversation?.info?.id);
    expect(ids).toContain(conversationId);
    expect(synced.conversations.find((one) => one.conversation?.info?.id === conversationId)).toMatchObject({
      conversation: { me: settings },
      entries: [],
    });
    const { conversations } = await first.insist.ListConversations({ actorId: member, limit: 10, cursor: '' });
    expect(conversations.find(({ info }) => info?.id === conversationId)?.me?.archived).toBe(true);

    await first.insist.UpdateMembership({ actorId: member, conversationId, mutedUntilMs: 0 });
    expect(await view(member)).toMatchObject({ ...settings, mutedUntilMs: 0 });
  });

  it('when their pointer moves on one device, then a sync with a token tells the others', async () => {
    const { owner, member, conversationId } = await scene();
    const [first, second] = chat.replicas;
    await first.say(owner, conversationId, 'one');
    const cursors = { [conversationId]: 2 };
    const late = `t1.${Date.now() + 3_600_000}`;
    expect((await second.insist.Sync({ actorId: member, cursors, token: late, limit: 10 })).conversations).toEqual([]);
    const token = `t1.${Date.now()}`;
    await eventually(async () => {
      const marked = await first.mark(member, conversationId, { readSeq: 2 }).catch(() => ({ code: 'away' }));
      return 'readSeq' in marked ? true : undefined;
    }, 20_000);
    const synced = await second.insist.Sync({ actorId: member, cursors, token, limit: 10 });
    expect(synced.conversations).toMatchObject([{ conversation: { me: { readSeq: 2, unread: 0 } }, entries: [] }]);
  });

  it('when messages come, then those are notified who want to hear of them', async () => {
    const owner = randomUUID();
    const people = { all: randomUUID(), archived: randomUUID(), muted: randomUUID(), over: randomUUID() };
    const choosy = { none: randomUUID(), mentions: randomUUID(), other: randomUUID() };
    const [first, second] = chat.replicas;
    const conversationId = await first.group(owner, ...Object.values(people), ...Object.values(choosy));
    const prefer = (actorId: string, change: object) =>
      second.insist.UpdateMembership({ actorId, conversationId, ...change });
    await prefer(people.archived, { archived: true });
    await prefer(people.muted, { mutedUntilMs: Date.now() + 3_600_000 });
    await prefer(people.over, { mutedUntilMs: Date.now() - 1 });
    await prefer(choosy.none, { notify: 'none' });
    for (const actorId of [choosy.mentions, choosy.other]) await prefer(actorId, { notify: 'mentions' });
    const notified = async (mentions: object) => {
      const send = { conversationId, clientMsgId: randomUUID(), type: 'text', text: 'x', attachments: [], ...mentions };
      const seq = await eventually(async () => (await first.command(owner, { send })).sent?.message?.seq, 20_000);
      const { recipients } = await second.insist.GetRecipients({ conversationId, seq });
      return recipients.map(({ userId }) => userId).sort();
    };
    const always = [people.all, people.archived, people.over];
    expect(await notified({})).toEqual([...always].sort());
    expect(await notified({ mentionUserIds: [choosy.mentions, people.muted, choosy.none] })).toEqual(
      [...always, choosy.mentions].sort(),
    );
    expect(await notified({ mentionsAll: true })).toEqual([...always, choosy.mentions, choosy.other].sort());
  });

  it('when the settings make no sense, then they are refused', async () => {
    const { member, conversationId } = await scene();
    const { insist: call } = chat.replicas[0];
    const change = (settings: object) =>
      codeOf(call.UpdateMembership({ actorId: member, conversationId, ...settings }));
    expect(await change({ notify: 'loudly' })).toBe('VALIDATION_FAILED');
    expect(await change({})).toBe('done');
  });
});

describe('given the picture of a conversation', () => {
  it('when somebody opens it, then members may, and of a room everybody', async () => {
    const { owner, member, conversationId } = await scene();
    const [first, second] = chat.replicas;
    const [picture, ofRoom] = [randomUUID(), randomUUID()];
    const stranger = randomUUID();
    await first.insist.UpdateConversation({ actorId: owner, conversationId, avatarUploadId: picture });
    const room = await first.room(owner, 'pictured');
    await first.insist.UpdateConversation({ actorId: owner, conversationId: room, avatarUploadId: ofRoom });
    const may = async (actorId: string, uploadId: string) =>
      (await second.insist.CanOpenUpload({ actorId, uploadId })).allowed;
    expect([await may(member, picture), await may(stranger, picture)]).toEqual([true, false]);
    expect([await may(member, ofRoom), await may(stranger, ofRoom)]).toEqual([true, true]);
    await first.insist.UpdateConversation({ actorId: owner, conversationId, avatarUploadId: '' });
    await codeOf(first.insist.DeleteConversation({ actorId: owner, conversationId: room }));
    expect([await may(member, picture), await may(stranger, ofRoom)]).toEqual([false, false]);
  });
});
