import { randomUUID } from 'node:crypto';
import { inParallel, pause } from './gather.ts';

export type Account = { userId: string; token: string };

const callMs = 20_000;

const tries = 10;
const pauseMs = 300;

/**
 * One REST call of a bench, repeated while the platform says that it is too busy: what is set up here is no figure.
 *
 * @throws Error for every other refusal
 */
export async function call(gateway: string, method: string, path: string, token: string | null, body?: unknown) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await callOnce(gateway, method, path, token, body);
    } catch (error) {
      if (attempt === tries || !(error instanceof TooBusy)) throw error;
      await pause(pauseMs * attempt);
    }
  }
}

class TooBusy extends Error {}

async function callOnce(gateway: string, method: string, path: string, token: string | null, body?: unknown) {
  const answer = await fetch(`${gateway}/api/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(callMs),
  });
  const text = await answer.text();
  if (answer.status >= 500) throw new TooBusy(`${method} ${path} answered ${answer.status}: ${text}`);
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
  return (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
}

/** A new account, by one-time code: hashing thousands of passwords would be most of a bench. */
async function createAccount(gateway: string): Promise<Account> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await signUp(gateway);
    } catch (error) {
      // A code is used up by a try whose answer came too late.
      if (attempt === tries) throw error;
    }
  }
}

const newIdentifier = (): string => `b${randomUUID().replaceAll('-', '').slice(0, 20)}@example.com`;

/** The account with this address, which is made by its first code. */
export async function signUp(gateway: string, identifier = newIdentifier()): Promise<Account> {
  const { code } = await call(gateway, 'POST', '/auth/request-code', null, { identifier });
  const { user, accessToken } = await call(gateway, 'POST', '/auth/verify-code', null, { identifier, code });
  return { userId: (user as { id: string }).id, token: accessToken as string };
}

export function createAccounts(gateways: readonly string[], count: number): Promise<Account[]> {
  return inParallel(count, 8, (index) => createAccount(gateways[index % gateways.length] ?? ''));
}

/** The direct conversation of two. @returns its id. */
export async function openDirect(gateway: string, one: Account, other: Account): Promise<string> {
  const body = { type: 'direct', userId: other.userId };
  return (await call(gateway, 'POST', '/conversations', one.token, body))['id'] as string;
}

/** A group that the first one owns. @returns its id. */
export async function openGroup(gateway: string, [owner, ...others]: readonly Account[]): Promise<string> {
  if (!owner) throw new Error('a group needs somebody');
  const body = { type: 'group', name: 'bench', memberIds: others.map(({ userId }) => userId) };
  return (await call(gateway, 'POST', '/conversations', owner.token, body))['id'] as string;
}
