import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@bluewave/runtime/ids';
import type { Connection } from 'mongoose';
import type { AccountWithPassword } from '../src/accounts/account.ts';
import type { AccountStore } from '../src/accounts/account-store.ts';
import { createAccount, orphanAgeMs } from '../src/accounts/create-account.ts';
import type { Identity } from '../src/accounts/identity.ts';
import { createMongoAccountStore } from '../src/storage/mongo-account-store.ts';
import { ensureIndexes, type Models } from '../src/storage/models.ts';
import { dropDatabase, freshDatabase, freshName, openDatabase, testClock } from './support/auth-fixture.ts';

const database = freshDatabase();
let connection: Connection;
let models: Models;
beforeAll(async () => {
  ({ connection, models } = await openDatabase(database));
  await ensureIndexes(models);
});
afterAll(async () => {
  await connection.close();
  await dropDatabase(database);
});

const deadline = () => Date.now() + 10_000;

function draft(username: string): { account: AccountWithPassword; identities: Identity[] } {
  const email = `${username}@example.com`;
  const account = {
    ...{ id: newId(), username, displayName: username, email, phone: undefined, emailVerified: false },
    ...{ avatarUrl: undefined, bio: '', createdAt: Date.now(), passwordHash: 'a hash' },
  };
  return {
    account,
    identities: [
      { kind: 'email', value: email },
      { kind: 'username', value: username },
    ],
  };
}

async function create(accounts: AccountStore, clock: () => number, { account, identities }: ReturnType<typeof draft>) {
  return createAccount({ accounts, clock }, account.id, identities, async () => account, deadline()).then(
    () => 'created',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
}

/** A registration that stops at one of its steps for ever, as a killed process does. */
function dyingAt(accounts: AccountStore, step: 'reserve' | 'create'): AccountStore {
  const die = () => Promise.reject(new Error('killed'));
  if (step === 'create') return { ...accounts, create: die, release: die };
  const reserve: AccountStore['reserve'] = async (...given) => {
    await accounts.reserve(...given);
    return die();
  };
  return { ...accounts, reserve, release: die };
}

describe('createAccount', () => {
  it.each(['reserve', 'create'] as const)(
    'given a process that died at %s, when a minute has passed, then its names can be had',
    async (step) => {
      const accounts = createMongoAccountStore(models);
      const clock = testClock();
      const name = freshName();
      const [first, second] = [draft(name), draft(name)];
      expect(await create(dyingAt(accounts, step), clock.read, first)).toBe('killed');
      clock.advance(orphanAgeMs - 1);
      expect(await create(accounts, clock.read, second)).toBe('EMAIL_TAKEN');
      clock.advance(1);
      expect(await create(accounts, clock.read, second)).toBe('created');
      // The dead one comes back to life and goes on where it stopped: too late.
      expect(await accounts.create(first.account, deadline())).toBe(false);
      const found = await accounts.findByIdentity({ kind: 'username', value: name }, deadline());
      expect(found).toEqual(second.account);
      expect(await accounts.find(first.account.id, deadline())).toBeUndefined();
      expect(await accounts.findProfiles([first.account.id], deadline())).toEqual([]);
    },
  );

  it('given an account that is older than a minute, when its names are wanted, then they are taken', async () => {
    const accounts = createMongoAccountStore(models);
    const clock = testClock();
    const name = freshName();
    const first = draft(name);
    expect(await create(accounts, clock.read, first)).toBe('created');
    clock.advance(orphanAgeMs * 10);
    expect(await create(accounts, clock.read, draft(name))).toBe('EMAIL_TAKEN');
    expect(await accounts.findByIdentity({ kind: 'email', value: `${name}@example.com` }, deadline())).toEqual(
      first.account,
    );
  });

  it('given a dead registration, when 20 want its names at once and it wakes up too, then one account has them all', async () => {
    const accounts = createMongoAccountStore(models);
    const clock = testClock();
    const name = freshName();
    const dead = draft(name);
    expect(await create(dyingAt(accounts, 'create'), clock.read, dead)).toBe('killed');
    clock.advance(orphanAgeMs);
    const rivals = Array.from({ length: 20 }, () => draft(name));
    const [woken, ...outcomes] = await Promise.all([
      accounts.create(dead.account, deadline()).then((done) => (done ? 'created' : 'fenced')),
      ...rivals.map((rival) => create(accounts, clock.read, rival)),
    ]);
    const created = [woken, ...outcomes].filter((one) => one === 'created');
    expect(created.length).toBeLessThanOrEqual(1);
    const users = await models.users.find({ username: name }).lean();
    expect(users).toHaveLength(created.length);
    if (created.length === 0) return;
    const owners = await Promise.all(dead.identities.map((identity) => accounts.findByIdentity(identity, deadline())));
    expect(new Set(owners.map((owner) => owner?.id)).size).toBe(1);
  });

  it('given many replicas that start at once, when each makes the indexes, then all succeed and they exist once', async () => {
    await Promise.all(Array.from({ length: 8 }, () => ensureIndexes(models)));
    const names = await Promise.all(
      [models.users, models.sessions, models.devices].map(async (model) =>
        (await model.collection.indexes()).map(({ name }) => name ?? '').toSorted((a, b) => a.localeCompare(b)),
      ),
    );
    expect(names).toEqual([
      ['_id_', 'fence_expiry', 'search'],
      ['_id_', 'expiry', 'live_device'],
      ['_id_', 'device', 'expiry'],
    ]);
  });
});
