import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppError } from '@bluewave/errors/app-error';
import { type ChatUnderTest, startChatUnderTest } from './support/chat-under-test.ts';
import { definition, type Replica } from './support/replica.ts';

/** A conversation that exists, one that does not, and somebody who is not in it. */
type Scene = { actorId: string; conversationId: string; memberId: string; uploadId: string; seq: number };
type Attempt = (replica: Replica, scene: Scene) => Promise<unknown>;

let chat: ChatUnderTest;
beforeAll(async () => void (chat = await startChatUnderTest()));
afterAll(() => chat.close());

const page = { limit: 10, cursor: '' };

/** What an outsider tries with each RPC that is about a conversation: all of it must be answered as for an absent one. */
const refused: Record<string, Attempt> = {
  Commands: async (replica, { actorId, conversationId }) => {
    const send = await replica.send({ actorId, conversationId, text: 'hello' });
    const mark = await replica.mark(actorId, conversationId, { readSeq: 1 });
    expect(send).toEqual({ code: 'NOT_FOUND' });
    expect(mark).toEqual({ code: 'NOT_FOUND' });
    throw new AppError('NOT_FOUND', 'both');
  },
  GetConversation: (replica, scene) => replica.insist.GetConversation(scene),
  UpdateConversation: (replica, scene) => replica.insist.UpdateConversation({ ...scene, name: 'mine' }),
  DeleteConversation: (replica, scene) => replica.insist.DeleteConversation(scene),
  JoinConversation: (replica, scene) => replica.insist.JoinConversation(scene),
  ChangeRole: (replica, scene) => replica.insist.ChangeRole({ ...scene, userId: scene.memberId, role: 'member' }),
  TransferOwnership: (replica, scene) => replica.insist.TransferOwnership({ ...scene, userId: scene.actorId }),
  BanUser: (replica, scene) => replica.insist.BanUser({ ...scene, userId: scene.memberId, reason: '', untilMs: 0 }),
  LiftBan: (replica, scene) => replica.insist.LiftBan({ ...scene, userId: scene.memberId }),
  ListBans: (replica, scene) => replica.insist.ListBans({ ...scene, ...page }),
  UpdateMembership: (replica, scene) => replica.insist.UpdateMembership({ ...scene, archived: true }),
  ListMembers: (replica, scene) => replica.insist.ListMembers({ ...scene, ...page }),
  AddMembers: (replica, scene) => replica.insist.AddMembers({ ...scene, userIds: [scene.actorId] }),
  RemoveMember: (replica, scene) => replica.insist.RemoveMember({ ...scene, userId: scene.memberId }),
  GetMessage: (replica, scene) => replica.insist.GetMessage(scene),
  EditMessage: (replica, scene) => replica.insist.EditMessage({ ...scene, text: 'mine' }),
  DeleteMessage: (replica, scene) => replica.insist.DeleteMessage(scene),
  React: (replica, scene) => replica.insist.React({ ...scene, emoji: '👍', on: true }),
  ListReactions: (replica, scene) => replica.insist.ListReactions({ ...scene, ...page, emoji: '' }),
  PinMessage: (replica, scene) => replica.insist.PinMessage({ ...scene, on: true }),
  ListPins: (replica, scene) => replica.insist.ListPins({ ...scene, ...page }),
  ListThread: (replica, scene) => replica.insist.ListThread({ ...scene, ...page }),
  ListTexts: (replica, scene) => replica.insist.ListTexts(scene),
  ListReceipts: (replica, scene) => replica.insist.ListReceipts({ ...scene, ...page }),
  StarMessage: (replica, scene) => replica.insist.StarMessage({ ...scene, on: true }),
  ReportMessage: (replica, scene) => replica.insist.ReportMessage({ ...scene, reason: 'spam', note: '' }),
  ForwardMessage: (replica, scene) =>
    replica.insist.ForwardMessage({
      ...scene,
      ...{ targetConversationId: scene.conversationId, idempotencyKey: randomUUID(), repeatOnly: false },
    }),
  ListMessages: (replica, scene) => replica.insist.ListMessages({ ...scene, limit: 10 }),
  SearchMessages: (replica, scene) =>
    replica.insist.SearchMessages({ ...scene, ...page, query: 'secret', senderId: '', type: '' }),
  ListEntries: (replica, scene) => replica.insist.ListEntries({ ...scene, after: 0, limit: 10 }),
};

/** RPCs that answer an outsider with what is theirs, and so with nothing of the conversation. */
const silent: Record<string, Attempt> = {
  ListConversations: async (replica, { actorId }) => {
    expect(await replica.insist.ListConversations({ actorId, ...page })).toEqual({
      conversations: [],
      nextCursor: '',
    });
  },
  DiscoverRooms: async (replica, { actorId }) => {
    const answer = await replica.insist.DiscoverRooms({ actorId, query: '', ...page });
    expect(answer).toEqual({ conversations: [], nextCursor: '' });
  },
  ListMemberships: async (replica, { actorId }) => {
    expect(await replica.insist.ListMemberships({ actorId })).toEqual({ conversations: [], blockedUserIds: [] });
  },
  Sync: async (replica, { actorId, conversationId }) => {
    const request = { actorId, cursors: { [conversationId]: 0 }, token: '', limit: 10 };
    const answer = await replica.insist.Sync(request);
    expect(answer).toMatchObject({ conversations: [], removed: [conversationId] });
  },
  CanOpenUpload: async (replica, { actorId, uploadId }) => {
    expect(await replica.insist.CanOpenUpload({ actorId, uploadId })).toEqual({ allowed: false });
  },
  ListStarred: async (replica, { actorId }) => {
    expect(await replica.insist.ListStarred({ actorId, ...page })).toEqual({ messages: [], nextCursor: '' });
  },
  GetUnread: async (replica, { actorId }) => {
    expect(await replica.insist.GetUnread({ actorId })).toEqual({ total: 0, mentions: 0, conversations: 0 });
  },
  FilterAcquainted: async (replica, { actorId, memberId }) => {
    expect(await replica.insist.FilterAcquainted({ actorId, userIds: [memberId] })).toEqual({ userIds: [] });
  },
};

/** RPCs without an actor (asked by services for themselves), and the one that makes what was not there. */
const withoutActor = ['GetHeads', 'GetRecipients', 'CreateConversation'];
/** RPCs about no conversation, but about the actor's own lists of people; see people.test.ts. */
const aboutPeople = [
  ...['ListContacts', 'PutContact', 'RemoveContact', 'ListBlocks', 'PutBlock', 'RemoveBlock'],
  ...['LocateDirect', 'FindBlockers'],
];

const codeOf = async (attempt: Promise<unknown>): Promise<string> => {
  const thrown = await attempt.then(
    () => undefined,
    (error: unknown) => error,
  );
  return thrown instanceof AppError ? `${thrown.code} ${thrown.code === 'NOT_FOUND' ? '' : thrown.detail}` : 'answered';
};

async function scenes(): Promise<[string, Scene][]> {
  const [first] = chat.replicas;
  const [memberId, stranger, leaver, uploadId] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const conversationId = await first.group(memberId, leaver);
  const attachment = { uploadId, kind: 'image', fileName: 'a.png', contentType: 'image/png', size: 1 };
  await first.send({ actorId: memberId, conversationId, text: 'secret', attachments: [attachment] });
  await first.send({ actorId: leaver, conversationId, text: 'mine' });
  await first.insist.RemoveMember({ actorId: leaver, conversationId, userId: leaver });
  const scene = { conversationId, memberId, uploadId };
  return [
    ['a stranger', { ...scene, actorId: stranger, seq: 2 }],
    ['a former member', { ...scene, actorId: leaver, seq: 3 }],
    ['anybody, in what is not there', { ...scene, conversationId: randomUUID(), actorId: stranger, seq: 2 }],
    ['anybody, in what is no id', { ...scene, conversationId: '../../etc', actorId: stranger, seq: 2 }],
  ];
}

describe('given a conversation and those who are not in it', () => {
  it('when the service gets a new RPC, then it is told here what outsiders get from it', () => {
    const known = [...Object.keys(refused), ...Object.keys(silent), ...withoutActor, ...aboutPeople];
    expect(known.sort()).toEqual(Object.keys(definition).sort());
  });

  it.each(Object.entries(refused))('when they call %s, then it is as if nothing were there', async (_name, attempt) => {
    for (const [who, scene] of await scenes()) {
      for (const replica of chat.replicas) {
        expect(`${who}: ${await codeOf(attempt(replica, scene))}`).toBe(`${who}: NOT_FOUND `);
      }
    }
  });

  it.each(Object.entries(silent))('when they call %s, then they get nothing of it', async (_name, expectNothing) => {
    const all = await scenes();
    for (const [, scene] of all.filter(([who]) => !who.endsWith('no id'))) {
      for (const replica of chat.replicas) await expectNothing(replica, scene);
    }
  });
});
