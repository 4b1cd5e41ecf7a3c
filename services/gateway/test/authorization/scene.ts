import { randomUUID } from 'node:crypto';
import { type Caller, insistently, type Person, type Reply } from '../http/support/caller.ts';

/** Who may be in what relation to a conversation and a message in it. */
export const standings = ['stranger', 'exMember', 'banned', 'member', 'author', 'moderator', 'admin', 'owner'] as const;
export type Standing = (typeof standings)[number];

/** The two of a direct conversation, before and after one of them blocked the other. */
export const directStandings = ['peer', 'blocked', 'blocker'] as const;
export type DirectStanding = (typeof directStandings)[number];

export type People = Record<Standing | 'target', Person>;

/** A conversation with a message of `author` in it; `target` is a plain member whom others act upon. */
export type Scene = {
  conversationId: string;
  messageId: string;
  /** Another conversation that the actor may write to: where forwards go. */
  elsewhere: string;
  people: People;
};

/** Registers everybody once: a scene is made of them anew for each call that changes something. */
export async function gather(caller: Caller): Promise<People> {
  const people: Partial<People> = {};
  for (const standing of [...standings, 'target'] as const)
    people[standing] = await caller.register(standing.toLowerCase());
  return people as People;
}

export async function makeScene(caller: Caller, people: People): Promise<Scene> {
  const { owner, admin, moderator, member, author, target, exMember, banned } = people;
  const memberIds = [admin, moderator, member, author, target, exMember, banned].map(({ id }) => id);
  const group = { type: 'group', name: 'Scene', memberIds };
  const { id: conversationId } = await ask<{ id: string }>(caller, owner, 'POST', '/conversations', group);
  const path = `/conversations/${conversationId}`;
  await ask(caller, owner, 'PATCH', `${path}/members/${admin.id}`, { role: 'admin' });
  await ask(caller, owner, 'PATCH', `${path}/members/${moderator.id}`, { role: 'moderator' });
  const messageId = await say(caller, author, conversationId);
  await ask(caller, exMember, 'POST', `${path}/leave`, {});
  await ask(caller, owner, 'PUT', `${path}/bans/${banned.id}`, {});
  return { conversationId, messageId, elsewhere: conversationId, people };
}

/** A conversation that only this person is in. */
export async function ownGroup(caller: Caller, person: Person): Promise<string> {
  const group = { type: 'group', name: 'Elsewhere', memberIds: [] };
  return (await ask<{ id: string }>(caller, person, 'POST', '/conversations', group)).id;
}

export async function say(caller: Caller, from: Person, conversationId: string): Promise<string> {
  const body = { clientMsgId: randomUUID(), text: 'a word' };
  const path = `/conversations/${conversationId}/messages`;
  return (await ask<{ message: { id: string } }>(caller, from, 'POST', path, body)).message.id;
}

/** A call of which only success is expected. */
export async function ask<T>(caller: Caller, as: Person, method: string, path: string, body?: unknown): Promise<T> {
  const token = as.accessToken;
  const reply: Reply<T> = await insistently(() =>
    caller.call<T>(method, path, { token, ...(body === undefined ? {} : { body }) }),
  );
  if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.body;
}
