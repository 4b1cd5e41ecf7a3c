import { BluewaveError, toBluewaveError } from '../bluewave-error.ts';
import type { Session } from '../contract.ts';
import type { Clock } from '../environment.ts';

/** The tokens of a session, as logging in answers them. */
export type SessionTokens = Pick<Session, 'accessToken' | 'refreshToken' | 'expiresIn' | 'deviceId'> & {
  user?: Pick<Session['user'], 'id'>;
};

/**
 * Gives an access token from elsewhere, such as the host application. `rejected` is the one that the platform did not
 * take: it must not be given again. To end the session reject with a BluewaveError that is not `retryable`.
 */
export type TokenProvider = (asked: { rejected: string | undefined }) => Promise<string>;

/** Where access tokens come from, one refresh at a time whoever asks. */
export type TokenSource = {
  /** @throws BluewaveError: OFFLINE and the like while no token can be had, SIGNED_OUT when none will be. */
  get(): Promise<string>;
  /** The platform did not take this token: the next `get` gives another one. */
  reject(token: string): void;
};

/** Tokens this close to their end are not used any more. */
const marginMs = 10_000;

export function createProvidedTokens(provide: TokenProvider): TokenSource {
  let token: string | undefined;
  let rejected: string | undefined;
  let asking: Promise<string> | undefined;
  const ask = async (): Promise<string> => {
    try {
      const given = await provide({ rejected });
      if (given === rejected) throw signedOut(new Error('the token provider gave a rejected token again'));
      token = given;
      return given;
    } catch (error) {
      throw asSignedOut(toBluewaveError(error));
    } finally {
      asking = undefined;
    }
  };
  return {
    // The provider knows when its token expires, so it is asked each time it matters.
    get: () => (asking ??= ask()),
    reject(refused) {
      if (token === undefined || token === refused) rejected = refused;
    },
  };
}

export type SessionTokensOptions = {
  session: SessionTokens;
  clock: Clock;
  refresh(refreshToken: string): Promise<SessionTokens>;
  /** Keeps the new tokens; awaited before they are used, since the old ones end with them. */
  onSession(session: SessionTokens): void | Promise<void>;
};

/**
 * Tokens of a session of the platform itself, refreshed when they are about to expire or were refused. A device whose
 * clock jumps only refreshes early, or when the platform says so.
 */
export function createSessionTokens(options: SessionTokensOptions): TokenSource {
  const { clock } = options;
  let session = options.session;
  let expiresAt = clock.now() + session.expiresIn * 1_000;
  let isRejected = false;
  let refreshing: Promise<string> | undefined;
  let ended: BluewaveError | undefined;
  const refresh = async (): Promise<string> => {
    try {
      const next = await options.refresh(session.refreshToken);
      session = { ...next, ...(session.user ? { user: session.user } : {}) };
      expiresAt = clock.now() + next.expiresIn * 1_000;
      isRejected = false;
      await options.onSession(session);
      return session.accessToken;
    } catch (thrown) {
      const error = asSignedOut(toBluewaveError(thrown));
      if (!error.retryable) ended = error;
      throw error;
    } finally {
      refreshing = undefined;
    }
  };
  return {
    async get() {
      // The refresh token is used up: asking again would look like theft.
      if (ended) throw ended;
      if (refreshing) return refreshing;
      if (!isRejected && clock.now() < expiresAt - marginMs) return session.accessToken;
      return (refreshing ??= refresh());
    },
    reject(refused) {
      if (refused === session.accessToken) isRejected = true;
    },
  };
}

/** A refusal of a refresh is the end of the session; all else may pass. */
function asSignedOut(error: BluewaveError): BluewaveError {
  return error.retryable || error.code === 'SIGNED_OUT' ? error : signedOut(error);
}

function signedOut(cause: Error): BluewaveError {
  const traceId = cause instanceof BluewaveError ? cause.traceId : undefined;
  return new BluewaveError('SIGNED_OUT', 'The session has ended. Log in again.', { retryable: false, traceId, cause });
}
