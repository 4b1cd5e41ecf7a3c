import { describe, expect, it } from '@jest/globals';
import { BluewaveError } from '@bluewave/sdk';
import { createProvidedTokens, createSessionTokens, type SessionTokens } from '../src/rest/token-source.ts';
import { ManualClock } from './support/manual-clock.ts';

const session = (turn: number): SessionTokens => ({
  accessToken: `access ${turn}`,
  refreshToken: `refresh ${turn}`,
  expiresIn: 900,
  deviceId: 'd1',
});
const failure = (code: 'OFFLINE' | 'REFRESH_TOKEN_REUSED', retryable: boolean) =>
  new BluewaveError(code, code, { retryable });

function sessionSource(answers: (() => SessionTokens)[]) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const kept: string[] = [];
  const tokens = createSessionTokens({
    session: session(1),
    clock,
    refresh: async (refreshToken) => {
      asked.push(refreshToken);
      const answer = answers.shift();
      if (!answer) throw new Error('nobody expected this');
      return answer();
    },
    onSession: (next) => void kept.push(next.refreshToken),
  });
  return { clock, asked, kept, tokens };
}

describe('tokens of a session', () => {
  it('given a token that is good, when it is asked for, then nothing is refreshed', async () => {
    const { tokens, asked } = sessionSource([]);
    expect(await tokens.get()).toBe('access 1');
    expect(asked).toEqual([]);
  });

  it('given a token that has expired, when many ask at once, then it is refreshed once and kept before it is used', async () => {
    const { tokens, asked, kept, clock } = sessionSource([() => session(2)]);
    clock.jump(900_000);
    expect(await Promise.all([tokens.get(), tokens.get(), tokens.get()])).toEqual(['access 2', 'access 2', 'access 2']);
    expect(await tokens.get()).toBe('access 2');
    expect([asked, kept]).toEqual([['refresh 1'], ['refresh 2']]);
  });

  it('given a token that the platform refused, when the clock says that it is good, then it is refreshed all the same', async () => {
    const { tokens, clock } = sessionSource([() => session(2)]);
    clock.jump(-10_000_000);
    tokens.reject('access 1');
    expect(await tokens.get()).toBe('access 2');
    tokens.reject('access 1');
    expect(await tokens.get()).toBe('access 2');
  });

  it('given a token that expires offline, when the network is back, then the same refresh token is used', async () => {
    const offline = (): SessionTokens => {
      throw failure('OFFLINE', true);
    };
    const { tokens, asked, clock } = sessionSource([offline, () => session(2)]);
    clock.jump(900_000);
    await expect(tokens.get()).rejects.toMatchObject({ code: 'OFFLINE', retryable: true });
    expect(await tokens.get()).toBe('access 2');
    expect(asked).toEqual(['refresh 1', 'refresh 1']);
  });

  it('given a session that has ended, when a token is asked for, then that is said, and not asked a second time', async () => {
    const reused = (): SessionTokens => {
      throw failure('REFRESH_TOKEN_REUSED', false);
    };
    const { tokens, asked, clock } = sessionSource([reused]);
    clock.jump(900_000);
    await expect(tokens.get()).rejects.toMatchObject({ code: 'SIGNED_OUT', retryable: false });
    await expect(tokens.get()).rejects.toMatchObject({ code: 'SIGNED_OUT' });
    expect(asked).toEqual(['refresh 1']);
  });
});

describe('tokens from a provider', () => {
  it('given many who ask at once, when the provider is slow, then it is asked once', async () => {
    let asked = 0;
    const tokens = createProvidedTokens(async () => {
      asked += 1;
      await new Promise((resolve) => setImmediate(resolve));
      return 'a';
    });
    expect(await Promise.all([tokens.get(), tokens.get()])).toEqual(['a', 'a']);
    expect(asked).toBe(1);
  });

  it('given a token that was refused, when the provider is asked, then it is told, and ends the session by giving it again', async () => {
    const rejected: (string | undefined)[] = [];
    const tokens = createProvidedTokens(async (asked) => {
      rejected.push(asked.rejected);
      return 'a';
    });
    expect(await tokens.get()).toBe('a');
    tokens.reject('a');
    await expect(tokens.get()).rejects.toMatchObject({ code: 'SIGNED_OUT' });
    expect(rejected).toEqual([undefined, 'a']);
  });

  it('given a provider without network, when it fails, then that may pass; a refusal ends the session', async () => {
    const errors = [new Error('no network'), failure('REFRESH_TOKEN_REUSED', false)];
    const tokens = createProvidedTokens(async () => {
      throw errors.shift() ?? new Error('nobody expected this');
    });
    await expect(tokens.get()).rejects.toMatchObject({ code: 'OFFLINE', retryable: true });
    await expect(tokens.get()).rejects.toMatchObject({ code: 'SIGNED_OUT', retryable: false });
  });
});
