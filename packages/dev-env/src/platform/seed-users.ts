import { PlatformError } from '../platform-error.ts';

/** An account that fresh data holds. */
export type SeededUser = { username: string; email: string; password: string };

/** The accounts of the local platform; their passwords are no secret. */
export const seededUsers: readonly SeededUser[] = ['alice', 'bob', 'carol'].map((username) => ({
  username,
  email: `${username}@example.com`,
  password: `${username}-likes-bluewave`,
}));

const CREATED = 201;
const EXISTS = 409;

/**
 * Registers alice, bob and carol through a gateway, as any client would. Those that exist already stay as they are.
 *
 * @throws PlatformError when the gateway refuses or does not answer within its deadline
 */
export const seedUsers = async (gateway: string, signal: AbortSignal): Promise<void> => {
  for (const user of seededUsers) {
    const displayName = user.username.charAt(0).toUpperCase() + user.username.slice(1);
    const response = await fetch(`${gateway}/api/v1/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...user, displayName }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    const answer = await response.text();
    if (response.status !== CREATED && response.status !== EXISTS)
      throw new PlatformError(`${user.username} could not be registered: ${response.status} ${answer.slice(0, 300)}`);
  }
};
