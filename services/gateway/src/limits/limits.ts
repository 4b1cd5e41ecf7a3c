import type { RateLimit } from './sliding-window.ts';

/** The rate limits of the gateway beside those of messages, which are configuration. Those of logins and codes by account are auth's, those of uploads media's. */
export const rateLimits = {
  /** Every request of one address: a backstop, far above what people or an office behind one address do. */
  address: { name: 'address', max: 6_000, windowMs: 60_000 },
  /** Registrations, logins and codes of one address: what guessing passwords would need many of. */
  signIn: { name: 'sign-in', max: 300, windowMs: 60_000 },
  /** Every REST request of one user. */
  user: { name: 'user', max: 1_200, windowMs: 60_000 },
  /** Searches for people: each reads an index range. */
  userSearch: { name: 'user-search', max: 60, windowMs: 60_000 },
  /** Reports of messages. */
  reports: { name: 'reports', max: 30, windowMs: 60_000 },
  /** Test notifications. */
  pushTest: { name: 'push-test', max: 5, windowMs: 60_000 },
} as const satisfies Record<string, RateLimit>;
