import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import {
  type AuthFixture,
  context,
  engine,
  freshIp,
  freshName,
  noDevice,
  openDatabase,
  refusal,
  registration,
  startFixture,
} from './support/auth-fixture.ts';

let fixture: AuthFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

const request = (identifier: string, ip = freshIp()) => fixture.call.RequestCode({ identifier, ip }, context());
const verify = (identifier: string, code: string, ip = freshIp()) =>
  fixture.call.VerifyCode({ identifier, code, device: noDevice, ip }, context());
const other = (code: string): string => ((Number(code) + 1) % 1_000_000).toString().padStart(6, '0');
const freshPhone = (): string => `+4915${Math.floor(100_000_000 + Math.random() * 899_999_999)}`;

describe('one-time codes', () => {
  it('given an account, when its code comes back, then a session opens and the e-mail counts as verified', async () => {
    const name = freshName();
    const { user } = await fixture.call.Register(registration(name), context());
    const { code } = await request(`${name}@example.com`);
    expect(code).toMatch(/^[0-9]{6}$/);
    const reply = await verify(`${name.toUpperCase()}@example.com`, code);
    expect(reply.user).toEqual({ ...user, emailVerified: true });
    expect(await fixture.call.GetMe({ actorId: user?.user?.id ?? '' }, context())).toEqual(reply.user);
    expect(reply).toMatchObject({ expiresIn: 900, accessToken: expect.any(String), refreshToken: expect.any(String) });
  });

  it.each([
    ['e-mail', () => `${freshName()}@example.com`, { emailVerified: true }],
    ['phone', freshPhone, { emailVerified: false }],
    ['username', freshName, { emailVerified: false }],
  ])('given an unknown %s, when its code comes back, then an account is made once', async (kind, make, expected) => {
    const identifier = make();
    const { code } = await request(identifier);
    const first = await verify(identifier, code);
    expect(first.user).toEqual({
      user: {
        ...first.user?.user,
        username: kind === 'username' ? identifier : expect.stringMatching(/^user_[a-z0-9]{10}$/),
      },
      email: kind === 'e-mail' ? identifier : '',
      phone: kind === 'phone' ? identifier : '',
      ...{ totpEnabled: false, ...expected },
    });
    const again = await verify(identifier, (await request(identifier)).code);
    expect(again.user).toEqual(first.user);
  });

  it('given no account yet, when only a code was requested, then the identity is still free', async () => {
    const name = freshName();
    await request(`${name}@example.com`);
    expect((await fixture.call.Register(registration(name), context())).user?.email).toBe(`${name}@example.com`);
  });

  it('given a code that was used, when it comes again, then INVALID_CODE', async () => {
    const identifier = freshName();
    const { code } = await request(identifier);
    await verify(identifier, code);
    expect(await refusal(verify(identifier, code))).toEqual({ code: 'INVALID_CODE' });
  });

  it('given a newer code, when the older comes back, then only the newer opens', async () => {
    const identifier = freshName();
    const older = (await request(identifier)).code;
    const newer = (await request(identifier)).code;
    if (older !== newer) expect(await refusal(verify(identifier, older))).toEqual({ code: 'INVALID_CODE' });
    expect((await verify(identifier, newer)).user?.user?.username).toBe(identifier);
  });

  it('given 10 minutes, when the code comes back, then INVALID_CODE; a moment before it opens', async () => {
    const [late, early] = [freshName(), freshName()];
    const codes = [(await request(late)).code, (await request(early)).code] as const;
    fixture.clock.advance(599_999);
    expect((await verify(early, codes[1])).user?.user?.username).toBe(early);
    fixture.clock.advance(1);
    expect(await refusal(verify(late, codes[0]))).toEqual({ code: 'INVALID_CODE' });
  });

  it('given 4 wrong guesses, when the fifth is right, then it opens; after 5 wrong ones nothing does', async () => {
    const [lucky, unlucky] = [freshName(), freshName()];
    const luckyCode = (await request(lucky)).code;
    for (let guess = 0; guess < 4; guess += 1) {
      expect(await refusal(verify(lucky, other(luckyCode)))).toEqual({ code: 'INVALID_CODE' });
    }
    expect((await verify(lucky, luckyCode)).user?.user?.username).toBe(lucky);
    const code = (await request(unlucky)).code;
    for (let guess = 0; guess < 5; guess += 1) await refusal(verify(unlucky, other(code)));
    expect(await refusal(verify(unlucky, code))).toEqual({ code: 'INVALID_CODE' });
  });

  it('given 200 different guesses at once, when the right one comes last, then nothing opens', async () => {
    const identifier = freshName();
    const { code } = await request(identifier);
    let guess = code;
    const guesses = Array.from({ length: 200 }, () => (guess = other(guess)));
    const answers = await Promise.all([...guesses, code].map((one) => refusal(verify(identifier, one))));
    // The five guesses were spent before the right one came, and all of them were counted before they were compared.
    expect(new Set(answers.map((answer) => answer.code))).toEqual(new Set(['INVALID_CODE']));
  });

  it('given 50 verifications of one code at once, when they are answered, then one session opens', async () => {
    const identifier = freshName();
    const { code } = await request(identifier);
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () =>
        verify(identifier, code).then(
          () => 'opened',
          (error: { code: string }) => error.code,
        ),
      ),
    );
    expect(outcomes.filter((one) => one === 'opened')).toHaveLength(1);
    expect(outcomes.filter((one) => one === 'INVALID_CODE')).toHaveLength(49);
  });

  it('given a code of one identity, when it is tried for another, then INVALID_CODE', async () => {
    const [mine, theirs] = [freshName(), freshName()];
    const { code } = await request(mine);
    await request(theirs);
    expect(await refusal(verify(theirs, code))).toEqual({ code: 'INVALID_CODE' });
  });

  it('given a code, when Redis is looked into, then neither code nor address is there in the clear', async () => {
    const identifier = `${freshName()}@example.com`;
    const { code } = await request(identifier);
    const redis = new Redis(engine('TEST_REDIS_URL'));
    const keys = await redis.keys('auth:*');
    const codes = await Promise.all(
      keys.filter((key) => key.startsWith('auth:code:')).map((key) => redis.hgetall(key)),
    );
    redis.disconnect();
    expect(keys.filter((key) => key.includes('example'))).toEqual([]);
    expect(codes.flatMap((one) => Object.values(one))).not.toContain(code);
  });

  it('given 10 codes for one identity, when an eleventh is asked for, then RATE_LIMITED for known and unknown alike', async () => {
    const name = freshName();
    await fixture.call.Register(registration(name), context());
    for (const identifier of [name, freshName()]) {
      for (let count = 0; count < 10; count += 1) await request(identifier);
      expect(await refusal(request(identifier))).toEqual({ code: 'RATE_LIMITED', retryAfterMs: 900_000 });
    }
  });

  it.each(['ab', 'not an address@', '+12', 'x'.repeat(300)])(
    'given %j, when a code is asked for, then VALIDATION_FAILED',
    async (identifier) => {
      expect(await refusal(request(identifier))).toEqual({ code: 'VALIDATION_FAILED', fields: ['identifier'] });
    },
  );

  it.each(['', '12345', '1234567', '12345a', '１２３４５６'])(
    'given %j as a code, when it is verified, then INVALID_CODE',
    async (code) => {
      expect(await refusal(verify(freshName(), code))).toEqual({ code: 'INVALID_CODE' });
    },
  );
});

describe('one-time codes without DEV_ECHO_CODES', () => {
  it('given no way to send, when a code is asked for, then UNAVAILABLE for known and unknown alike', async () => {
    const quiet = await startFixture({ DEV_ECHO_CODES: 'false' });
    const name = freshName();
    await quiet.call.Register(registration(name), context());
    for (const identifier of [name, freshName(), `${name}@example.com`, freshPhone()]) {
      expect(await refusal(quiet.call.RequestCode({ identifier, ip: '' }, context()))).toEqual({ code: 'UNAVAILABLE' });
    }
    await quiet.close();
  });

  it('given an unknown username, when its code is guessed, then no account is made', async () => {
    const strict = await startFixture({
      ...{
        DEV_ECHO_CODES: 'false',
        CODE_WEBHOOK_URL: 'http://127.0.0.1:1/',
        CODE_WEBHOOK_SECRET: 'a secret of the tests',
      },
      MONGODB_DATABASE: fixture.config.mongodbDatabase,
    });
    const identifier = freshName();
    expect(await strict.call.RequestCode({ identifier, ip: '' }, context())).toEqual({ code: '' });
    // The same database and so the same keys: a code that the other instance echoes is the right one here.
    const { code } = await request(identifier);
    const answer = await refusal(strict.call.VerifyCode({ identifier, code, device: noDevice, ip: '' }, context()));
    expect(answer).toEqual({ code: 'INVALID_CODE' });
    const { connection, models } = await openDatabase(fixture.config.mongodbDatabase);
    expect(await models.identities.countDocuments({ _id: `username:${identifier}` })).toBe(0);
    await connection.close();
    await strict.auth.close();
  });
});
