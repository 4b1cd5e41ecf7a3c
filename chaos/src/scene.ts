import { randomUUID } from 'node:crypto';
import type { Account } from './chaos-client.ts';
import { restUntil } from './rest.ts';

/** Who is there and what they talk in. */
export type Scene = {
  people: Account[];
  /** Never connected; each with a push token. */
  absentees: (Account & { pushToken: string; conversationIds: string[] })[];
  conversations: { id: string; memberIds: string[] }[];
  /** A group of which one member is removed and added again, over and over. */
  revolving: { id: string; owner: Account; guest: Account };
};

const registrationsAtOnce = 4;
const password = 'correct horse battery staple';

async function register(gateways: readonly string[]): Promise<Account> {
  const name = `c${randomUUID().replaceAll('-', '').slice(0, 20)}`;
  const answer = await restUntil(
    gateways,
    'POST',
    '/auth/register',
    null,
    { email: `${name}@example.com`, username: name, password, device: { name: 'chaos', platform: 'other' } },
    [201],
  );
  const { user, accessToken, deviceId } = answer.body as {
    user: { id: string };
    accessToken: string;
    deviceId: string;
  };
  return { userId: user.id, token: accessToken, deviceId };
}

async function create(gateways: readonly string[], creator: Account, body: object): Promise<string> {
  const answer = await restUntil(gateways, 'POST', '/conversations', creator.token, body, [200, 201]);
  return (answer.body as { id: string }).id;
}

/** Registers everybody and opens the conversations: pairs, groups, and a group with a revolving door. */
export async function setScene(gateways: readonly string[], size: number): Promise<Scene> {
  const people: Account[] = [];
  while (people.length < size) {
    const some = Math.min(registrationsAtOnce, size - people.length);
    people.push(...(await Promise.all(Array.from({ length: some }, () => register(gateways)))));
  }
  const conversations: Scene['conversations'] = [];
  const person = (index: number): Account => people[index % size] as Account;
  for (let index = 0; index < size; index += 2) {
    const [a, b] = [person(index), person(index + 1)];
    const id = await create(gateways, a, { type: 'direct', userId: b.userId });
    conversations.push({ id, memberIds: [a.userId, b.userId] });
  }
  const absentees: Scene['absentees'] = [];
  for (let group = 0; group < 3; group += 1) {
    const absentee = await register(gateways);
    const members = [0, 1, 2, 3, 4, 5].map((offset) => person(group * 5 + offset));
    const memberIds = [...members.map(({ userId }) => userId), absentee.userId];
    const owner = members[0] as Account;
    const id = await create(gateways, owner, { type: 'group', name: `group ${group}`, memberIds: memberIds.slice(1) });
    conversations.push({ id, memberIds });
    const pushToken = `phone-${randomUUID()}`;
    const tokenPath = `/devices/${absentee.deviceId}/push-token`;
    await restUntil(gateways, 'PUT', tokenPath, absentee.token, { provider: 'fcm', token: pushToken }, [204]);
    absentees.push({ ...absentee, pushToken, conversationIds: [id] });
  }
  const [owner, guest, other] = [person(0), person(1), person(2)];
  const memberIds = [guest.userId, other.userId];
  const revolvingId = await create(gateways, owner, { type: 'group', name: 'revolving', memberIds });
  conversations.push({ id: revolvingId, memberIds: [owner.userId, ...memberIds] });
  return { people, absentees, conversations, revolving: { id: revolvingId, owner, guest } };
}

/** The whole log of a conversation, as one of its members reads it; tries again what may be tried again. */
export async function readLog(gateway: string, token: string, id: string): Promise<Record<string, unknown>[]> {
  const entries: Record<string, unknown>[] = [];
  for (let more = true; more;) {
    const path = `/conversations/${id}/entries?after=${entries.length}&limit=200`;
    const { body } = await restUntil([gateway], 'GET', path, token, undefined, [200]);
    if (!body) throw new Error('reading the log answered without a body');
    entries.push(...(body['items'] as Record<string, unknown>[]));
    more = body['hasMore'] === true;
  }
  return entries;
}
