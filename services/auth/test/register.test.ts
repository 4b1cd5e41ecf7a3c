import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type AuthFixture,
  context,
  freshIp,
  freshName,
  openDatabase,
  refusal,
  registration,
  someDevice,
  startFixture,
} from './support/auth-fixture.ts';
import { rateLimits } from '../src/credentials/rate-limits.ts';

let fixture: AuthFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

describe('Register', () => {
  it('given free names, when somebody registers, then account, session and device stand', async () => {
    const { call, clock } = fixture;
    const name = freshName('Ada');
    const device = someDevice();
    const request = { ...registration(name), email: ` ${name}@Example.COM `, phone: '+4915112345678', device };
    const reply = await call.Register(request, context());
    const user = {
      ...{ id: reply.user?.user?.id, username: name.toLowerCase(), displayName: 'Ada Lovelace' },
      ...{ avatarUrl: '', bio: '', createdAtMs: clock.now },
    };
    expect(reply).toEqual({
      user: {
        user,
        ...{
          email: `${name}@example.com`.toLowerCase(),
          phone: '+4915112345678',
          emailVerified: false,
          totpEnabled: false,
        },
      },
      ...{ accessToken: expect.any(String), refreshToken: expect.stringMatching(/^bwr_[A-Za-z0-9_-]{107}$/) },
      ...{ expiresIn: 900, deviceId: device.id, sessionId: expect.any(String) },
    });
    const actorId = user.id ?? '';
    expect(await call.GetMe({ actorId }, context())).toEqual(reply.user);
    expect(await call.ListDevices({ actorId }, context())).toEqual({
      devices: [{ ...device, lastSeenAtMs: clock.now }],
    });
  });

  it('given no display name, when somebody registers, then it is the username as typed', async () => {
    const name = freshName('Grace');
    const reply = await fixture.call.Register({ ...registration(name), displayName: '  ' }, context());
    expect(reply.user?.user?.displayName).toBe(name);
    expect(reply.user?.user?.username).toBe(name.toLowerCase());
  });

  it.each([
    ['EMAIL_TAKEN', (taken: string) => ({ email: `${taken}@EXAMPLE.com` })],
    ['USERNAME_TAKEN', (taken: string) => ({ username: taken.toUpperCase() })],
    ['PHONE_TAKEN', () => ({ phone: '+4915112345600' })],
  ])(
    'given a name that is taken, when it is registered again, then %s and nothing is kept of it',
    async (code, change) => {
      const { call } = fixture;
      const taken = freshName();
      const first = { ...registration(taken), phone: code === 'PHONE_TAKEN' ? '+4915112345600' : '' };
      await call.Register(first, context());
      const second = registration();
      expect(await refusal(call.Register({ ...second, ...change(taken) }, context()))).toEqual({ code });
      // What the loser had reserved is free again.
      await call.Register(second, context());
    },
  );

  it.each([
    ['email', 'no address'],
    ['email', `a@b.c,${'d'.repeat(10)}@e.f`],
    ['email', `${'a'.repeat(250)}@b.example`],
    ['username', 'ab'],
    ['username', 'with space'],
    ['username', 'ümlaut'],
    ['password', 'short'],
    ['password', 'x'.repeat(201)],
    ['displayName', 'two\nlines'],
    ['displayName', 'x'.repeat(101)],
    ['phone', '015112345678'],
    ['phone', '+1'],
  ])('given a wrong %s (%j), when somebody registers, then VALIDATION_FAILED names it', async (field, value) => {
    const request = { ...registration(), [field]: value };
    expect(await refusal(fixture.call.Register(request, context()))).toEqual({
      code: 'VALIDATION_FAILED',
      fields: [field],
    });
  });

  it.each([
    ['device.id', { id: 'not-a-uuid' }],
    ['device.platform', { platform: 'toaster' }],
    ['device.name', { name: 'x'.repeat(101) }],
    ['device.appVersion', { appVersion: 'x'.repeat(51) }],
  ])('given a wrong %s, when somebody registers, then VALIDATION_FAILED names it', async (field, change) => {
    const request = { ...registration(), device: { ...someDevice(), ...change } };
    expect(await refusal(fixture.call.Register(request, context()))).toEqual({
      code: 'VALIDATION_FAILED',
      fields: [field],
    });
  });

  it('given 50 registrations of one username at once, when all are answered, then one won and one account exists', async () => {
    const { call, config } = fixture;
    const username = freshName();
    /** On a busy machine the time for an answer may run out: it is asked again, as clients do. */
    const register = async (index: number): Promise<string> => {
      const request = { ...registration(), username, email: `${username}.${index}@example.com` };
      const outcome = await call.Register(request, context()).then(
        () => 'won',
        (error: { code: string }) => error.code,
      );
      return outcome === 'UNAVAILABLE' || outcome === 'DEADLINE_EXCEEDED' ? register(index) : outcome;
    };
    const outcomes = await Promise.all(Array.from({ length: 50 }, (_unused, index) => register(index)));
    const losers = outcomes.filter((outcome) => outcome !== 'won');
    expect(new Set(losers)).toEqual(new Set(['USERNAME_TAKEN']));
    // The answer of the one who won may have been late, and then its repeat finds the name taken.
    expect(losers.length).toBeGreaterThanOrEqual(49);
    const { connection, models } = await openDatabase(config.mongodbDatabase);
    expect(await models.users.countDocuments({ username })).toBe(1);
    const held = await models.identities.find({ _id: { $regex: username } }).lean();
    expect(held.map(({ _id }) => _id.split(':')[0]).sort()).toEqual(['email', 'username']);
    await connection.close();
  });

  it('given a limit of registrations an address, when it is passed, then RATE_LIMITED until the window ends', async () => {
    const { call, clock } = fixture;
    const ip = freshIp();
    // Refused after the limit is counted: quick tries that create nothing.
    const taken = registration();
    await call.Register(taken, context());
    for (let count = 0; count < rateLimits.registrationsPerAddress.max; count += 1) {
      expect(await refusal(call.Register({ ...taken, ip }, context()))).toEqual({ code: 'EMAIL_TAKEN' });
    }
    const limited = await refusal(call.Register({ ...taken, ip }, context()));
    expect(limited).toEqual({ code: 'RATE_LIMITED', retryAfterMs: 600_000 });
    clock.advance(600_000);
    expect(await refusal(call.Register({ ...taken, ip }, context()))).toEqual({ code: 'EMAIL_TAKEN' });
  });

  it('given an id of nobody, when its account is asked for, then NOT_FOUND', async () => {
    expect(await refusal(fixture.call.GetMe({ actorId: randomUUID() }, context()))).toEqual({ code: 'NOT_FOUND' });
  });
});
