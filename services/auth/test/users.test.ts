import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Connection } from 'mongoose';
import { fold, searchKeys, searchPrefixes } from '../src/accounts/search-keys.ts';
import { createMongoAccountStore } from '../src/storage/mongo-account-store.ts';
import { createMongoSessionStore } from '../src/storage/mongo-session-store.ts';
import type { Models } from '../src/storage/models.ts';
import {
  type AuthFixture,
  context,
  freshName,
  openDatabase,
  refusal,
  registration,
  startFixture,
} from './support/auth-fixture.ts';

let fixture: AuthFixture;
let connection: Connection;
let models: Models;
beforeAll(async () => {
  fixture = await startFixture({ RATE_LIMITS: 'off' });
  ({ connection, models } = await openDatabase(fixture.config.mongodbDatabase));
});
afterAll(async () => {
  await connection.close();
  await fixture.close();
});

const actorId = randomUUID();
const deadline = () => Date.now() + 10_000;

async function person(username: string, displayName: string): Promise<string> {
  const { user } = await fixture.call.Register({ ...registration(username), displayName }, context());
  return user?.user?.id ?? '';
}

async function found(query: string, limit = 0): Promise<string[]> {
  const names: string[] = [];
  let cursor = '';
  do {
    const page = await fixture.call.SearchUsers({ actorId, query, limit, cursor }, context());
    names.push(...page.users.map(({ username }) => username));
    cursor = page.nextCursor;
  } while (cursor !== '');
  return names;
}

describe('GetUsers', () => {
  it('given known, unknown, repeated and malformed ids, when they are asked for, then the known come once, in order', async () => {
    const ids = [await person(freshName(), 'One'), await person(freshName(), 'Two')];
    const asked = [ids[1] ?? '', randomUUID(), 'no id', ids[0]?.toUpperCase() ?? '', ids[1] ?? '', ''];
    const { users } = await fixture.call.GetUsers({ ids: asked }, context());
    expect(users.map(({ displayName }) => displayName)).toEqual(['Two', 'One']);
    expect(users[0]).toEqual({
      ...{ id: ids[1], username: expect.any(String), displayName: 'Two', avatarUrl: '', bio: '' },
      createdAtMs: fixture.clock.now,
    });
  });

  it('given more than 500 ids, when they are asked for, then VALIDATION_FAILED', async () => {
    const ids = Array.from({ length: 501 }, () => randomUUID());
    expect(await refusal(fixture.call.GetUsers({ ids }, context()))).toEqual({
      code: 'VALIDATION_FAILED',
      fields: ['ids'],
    });
    expect(await fixture.call.GetUsers({ ids: ids.slice(1) }, context())).toEqual({ users: [] });
  });
});

describe('SearchUsers', () => {
  it('given names with case and accents, when a beginning is typed, then people are found in username order', async () => {
    const tag = freshName('zz').slice(0, 9);
    await person(`${tag}_c`, `Zoë ${tag} Äpfelbaum`);
    await person(`${tag}_a`, `Äpfelbaum ${tag}`);
    await person(`${tag}_b`, 'Somebody else');
    expect(await found(tag.toUpperCase())).toEqual([`${tag}_a`, `${tag}_b`, `${tag}_c`]);
    expect(await found(`zoe ${tag} apf`)).toEqual([`${tag}_c`]);
    expect(await found(`  ZOË   ${tag} `)).toEqual([`${tag}_c`]);
    expect(await found(`${tag} äpfelb`)).toEqual([`${tag}_c`]);
    expect(await found(`apfelbaum ${tag}`)).toEqual([`${tag}_a`]);
    expect(await found(`${tag}_b`)).toEqual([`${tag}_b`]);
    expect(await found(`${tag}x`)).toEqual([]);
  });

  it('given more people than a page holds, when pages are followed, then each comes once, in order', async () => {
    const tag = freshName('pp').slice(0, 9);
    const names = Array.from({ length: 7 }, (_unused, index) => `${tag}_${index}`);
    await Promise.all(names.map((name) => person(name, name)));
    expect(await found(tag, 3)).toEqual(names);
    expect(await found(tag, 7)).toEqual(names);
    const { nextCursor } = await fixture.call.SearchUsers({ actorId, query: tag, limit: 7, cursor: '' }, context());
    expect(nextCursor).toBe('');
  });

  it.each([
    ['query', { query: '   ' }],
    ['query', { query: '\u0301' }],
    ['query', { query: 'x'.repeat(300) }],
    ['cursor', { cursor: 'not a cursor!' }],
    ['cursor', { cursor: Buffer.from('{"$gt":""}').toString('base64url') }],
    ['actorId', { actorId: '' }],
  ])('given a wrong %s, when somebody searches, then VALIDATION_FAILED names it', async (field, change) => {
    const request = { actorId, query: 'ada', limit: 0, cursor: '', ...change };
    expect(await refusal(fixture.call.SearchUsers(request, context()))).toEqual({
      code: 'VALIDATION_FAILED',
      fields: [field],
    });
  });

  it('given any display name, when any beginning of one of its first words is typed, then a prefix of the index matches', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.nat(), (name, seed) => {
        const keys = searchKeys('someone', name);
        const prefixes = new Set(searchPrefixes(keys));
        for (const key of keys) {
          const characters = [...key];
          const length = 1 + (seed % Math.max(1, characters.length));
          const typed = characters.slice(0, Math.min(length, 6)).join('');
          expect(fold(fold(key))).toBe(fold(key));
          if (typed !== '') expect(prefixes.has(typed)).toBe(true);
        }
      }),
    );
  });
});

describe('query plans', () => {
  type Plan = { stage?: string; indexName?: string; inputStage?: Plan; queryPlan?: Plan };
  const stages = (plan: Plan | undefined): string[] =>
    plan ? [`${plan.stage}${plan.indexName ? ` ${plan.indexName}` : ''}`, ...stages(plan.inputStage)] : [];

  /** The winning plans of the queries that ran while `act` did, as the server's profiler saw them. */
  async function plansOf(act: () => Promise<unknown>): Promise<string[]> {
    const db = connection.getClient().db(fixture.config.mongodbDatabase);
    await db.command({ profile: 2 });
    await act();
    await db.command({ profile: 0 });
    const seen = await db
      .collection('system.profile')
      .find({ ns: /\.(users|identities|sessions|devices)$/ })
      .toArray();
    await db.collection('system.profile').drop();
    return seen.map(
      (one) =>
        `${String(one['ns']).split('.')[1]}: ${String(one['planSummary'])}${one['hasSortStage'] === true ? ' SORT' : ''}`,
    );
  }

  it('given every store method, when the profiler looks on, then each uses an index and no page is sorted in memory', async () => {
    const accounts = createMongoAccountStore(models);
    const sessions = createMongoSessionStore(models);
    const { user, deviceId, sessionId, refreshToken } = await fixture.call.Register(registration(), context());
    const userId = user?.user?.id ?? '';
    const plans = await plansOf(async () => {
      await accounts.find(userId, deadline());
      await accounts.findProfiles([userId, randomUUID()], deadline());
      await accounts.findByIdentity({ kind: 'email', value: user?.email ?? '' }, deadline());
      await accounts.search({ prefix: 'ada lovelace', after: 'a', limit: 10 }, deadline());
      await accounts.search({ prefix: 'a', after: undefined, limit: 10 }, deadline());
      await sessions.read(userId, sessionId, deadline());
      await sessions.filterLive([{ userId, deviceId }], Date.now(), deadline());
      await sessions.listLive(userId, Date.now(), deadline());
      await fixture.call.Refresh({ refreshToken, ip: '' }, context());
      await fixture.call.LogoutAll({ actorId: userId }, context());
    });
    expect(plans.length).toBeGreaterThan(10);
    expect(plans.filter((plan) => plan.includes('COLLSCAN'))).toEqual([]);
    expect(plans.filter((plan) => plan.startsWith('users') && plan.includes('SORT'))).toEqual([]);
    expect(plans.filter((plan) => plan.includes('searchPrefixes'))).toHaveLength(2);
  });

  it('given a search, when it is explained, then the page is read from the index in order', async () => {
    const explained = (await models.users
      .find({ searchPrefixes: 'a', username: { $gt: 'a' } })
      .sort({ username: 1 })
      .limit(10)
      .explain('queryPlanner')) as unknown as { queryPlanner: { winningPlan: Plan } };
    const plan = explained.queryPlanner.winningPlan;
    expect(stages(plan.queryPlan ?? plan)).toEqual(['LIMIT', 'FETCH', 'IXSCAN search']);
  });
});
