import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type AuthFixture,
  context,
  freshIp,
  freshName,
  noDevice,
  password,
  refusal,
  registration,
  startFixture,
} from './support/auth-fixture.ts';

let fixture: AuthFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

const attempt = (identifier: string, given = password, ip = freshIp()) =>
  fixture.call.Login({ identifier, password: given, device: noDevice, ip }, context());

describe('Login', () => {
  it('given an account, when its owner logs in by e-mail, phone or username, then each opens a session', async () => {
    const name = freshName();
    const phone = `+4915${Math.floor(100_000_000 + Math.random() * 899_999_999)}`;
    const { user } = await fixture.call.Register({ ...registration(name), phone }, context());
    for (const identifier of [
      `${name}@example.com`,
      ` ${name.toUpperCase()}@EXAMPLE.com`,
      phone,
      name,
      name.toUpperCase(),
    ]) {
      const reply = await attempt(identifier);
      expect(reply.user).toEqual(user);
    }
    expect((await fixture.call.ListDevices({ actorId: user?.user?.id ?? '' }, context())).devices).toHaveLength(6);
  });

  it('given unknown identifiers and wrong passwords, when they are tried, then the answers are alike', async () => {
    const name = freshName();
    await fixture.call.Register(registration(name), context());
    expect(await refusal(attempt(name, 'wrong password'))).toEqual({ code: 'INVALID_CREDENTIALS' });
    for (const identifier of [freshName(), 'x', `${freshName()}@example.com`, '+']) {
      expect(await refusal(attempt(identifier))).toEqual({ code: 'INVALID_CREDENTIALS' });
    }
  });

  it('given an unknown identifier, when it is tried, then the answer takes about as long as for a wrong password', async () => {
    const name = freshName();
    await fixture.call.Register(registration(name), context());
    const timeOf = async (identifier: string): Promise<number> => {
      const start = performance.now();
      await refusal(attempt(identifier, 'wrong password'));
      return performance.now() - start;
    };
    let [unknown, known] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    // In turns, and the fastest of each: what else the machine does only makes them slower.
    for (let count = 0; count < 9; count += 1) {
      unknown = Math.min(unknown, await timeOf(freshName()));
      known = Math.min(known, await timeOf(name));
    }
    // Without the dummy work an unknown identifier answers in an eighth of the time.
    expect(unknown).toBeGreaterThan(known / 4);
    expect(unknown).toBeLessThan(known * 4);
  });

  it('given 10 wrong passwords, when the right one comes, then ACCOUNT_LOCKED until the window ends', async () => {
    const name = freshName();
    await fixture.call.Register(registration(name), context());
    for (let count = 0; count < 10; count += 1) {
      expect(await refusal(attempt(name, 'wrong password'))).toEqual({ code: 'INVALID_CREDENTIALS' });
    }
    fixture.clock.advance(60_000);
    expect(await refusal(attempt(name))).toEqual({ code: 'ACCOUNT_LOCKED', retryAfterMs: 14 * 60_000 });
    fixture.clock.advance(14 * 60_000);
    expect((await attempt(name)).user?.user?.username).toBe(name);
  });

  it('given a success in between, when passwords are wrong again, then counting starts anew', async () => {
    const name = freshName();
    await fixture.call.Register(registration(name), context());
    for (let round = 0; round < 2; round += 1) {
      for (let count = 0; count < 9; count += 1) await refusal(attempt(name, 'wrong password'));
      expect((await attempt(name)).user?.user?.username).toBe(name);
    }
  });

  it('given an unknown identifier, when it is guessed at, then it locks like a known one', async () => {
    const name = freshName();
    for (let count = 0; count < 10; count += 1) await refusal(attempt(name));
    expect(await refusal(attempt(name))).toEqual({ code: 'ACCOUNT_LOCKED', retryAfterMs: 15 * 60_000 });
  });

  it('given 60 guesses at once, when they are answered, then hardly more than 10 were compared', async () => {
    const name = freshName();
    await fixture.call.Register(registration(name), context());
    const guesses = await Promise.all(Array.from({ length: 60 }, () => refusal(attempt(name, 'wrong password'))));
    const compared = guesses.filter(({ code }) => code === 'INVALID_CREDENTIALS').length;
    // At most one more than the limit for each thread that verifies.
    expect(compared).toBeLessThanOrEqual(10 + 4);
    expect((await refusal(attempt(name))).code).toBe('ACCOUNT_LOCKED');
  });

  it('given 100 failures from one address, when anybody logs in from there, then RATE_LIMITED', async () => {
    const ip = freshIp();
    const name = freshName();
    await fixture.call.Register(registration(name), context());
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(Array.from({ length: 10 }, () => refusal(attempt(freshName(), 'wrong password', ip))));
    }
    const sameNetwork = ip.replace('::1', '::2');
    expect(await refusal(attempt(name, password, sameNetwork))).toEqual({
      code: 'RATE_LIMITED',
      retryAfterMs: 900_000,
    });
    expect((await attempt(name)).user?.user?.username).toBe(name);
  });

  it('given passwords that differ only in how a letter is typed, when one is used, then it opens', async () => {
    const name = freshName();
    await fixture.call.Register({ ...registration(name), password: 'caf\u00e9 au lait' }, context());
    expect((await attempt(name, 'cafe\u0301 au lait')).user?.user?.username).toBe(name);
  });
});

describe('without Redis', () => {
  it('given counters that cannot be read, when logins and codes are tried, then UNAVAILABLE; sessions go on', async () => {
    const database = fixture.config.mongodbDatabase;
    const blind = await startFixture({ REDIS_URL: 'redis://127.0.0.1:1', MONGODB_DATABASE: database });
    const name = freshName();
    const session = await fixture.call.Register(registration(name), context());
    const answers = [
      () => blind.call.Login({ identifier: name, password, device: noDevice, ip: freshIp() }, context()),
      () => blind.call.RequestCode({ identifier: name, ip: freshIp() }, context()),
      () => blind.call.VerifyCode({ identifier: name, code: '123456', device: noDevice, ip: freshIp() }, context()),
      () => blind.call.Register(registration(), context()),
    ];
    for (const ask of answers) expect(await refusal(ask())).toEqual({ code: 'UNAVAILABLE', retryAfterMs: 1_000 });
    const refreshed = await blind.call.Refresh({ refreshToken: session.refreshToken, ip: '' }, context());
    expect(refreshed.sessionId).toBe(session.sessionId);
    expect((await blind.call.GetMe({ actorId: session.user?.user?.id ?? '' }, context())).user?.username).toBe(name);
    await blind.close();
  });
});
