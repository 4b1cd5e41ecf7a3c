import { notFound } from '@bluewave/errors/app-error';
import type { Deadline } from '@bluewave/runtime/deadline';
import type { Account, Profile } from './account.ts';
import type { AccountStore } from './account-store.ts';
import { isUsername } from './identity.ts';
import { invalid, isUuid, parseUuid } from './invalid.ts';
import { cut, fold } from './search-keys.ts';

const maxIds = 500;
const defaultPage = 50;
const maxPage = 200;
const maxQuery = 100;
const maxPrefix = 64;

/** Told when a profile changes, so that nobody goes on showing the old one. */
export type ProfileEvents = { profileChanged(userId: string): void };

/** Public profiles in the order of `ids`, each once; what is no known id is left out. At most 500 ids. */
export async function getProfiles(accounts: AccountStore, ids: string[], deadline: Deadline): Promise<Profile[]> {
  if (ids.length > maxIds) throw invalid('ids', `must be at most ${maxIds}`);
  const wanted = [...new Set(ids.map((id) => id.toLowerCase()))].filter(isUuid);
  if (wanted.length === 0) return [];
  const found = await accounts.findProfiles(wanted, deadline);
  const byId = new Map(found.map((profile) => [profile.id, profile]));
  return wanted.flatMap((id) => byId.get(id) ?? []);
}

/** The caller's own account. @throws AppError NOT_FOUND when it is gone. */
export async function getOwnAccount(accounts: AccountStore, actorId: string, deadline: Deadline): Promise<Account> {
  const account = await accounts.find(parseUuid(actorId, 'actorId'), deadline);
  if (!account) throw notFound();
  return account;
}

export type SearchRequest = { query: string; limit: number; cursor: string };
export type SearchReply = { profiles: Profile[]; nextCursor: string };

/** People whose username or display name begins with the query, by username. A limit of 0 means 50; at most 200. */
export async function searchProfiles(
  accounts: AccountStore,
  request: SearchRequest,
  deadline: Deadline,
): Promise<SearchReply> {
  if (request.query.length > maxQuery * 2) throw invalid('query', `must have at most ${maxQuery} characters`);
  const prefix = cut(fold(request.query), maxPrefix);
  if (prefix === '') throw invalid('query', 'must have at least one letter or digit');
  const limit = request.limit <= 0 ? defaultPage : Math.min(request.limit, maxPage);
  const after = request.cursor === '' ? undefined : readCursor(request.cursor);
  const found = await accounts.search({ prefix, after, limit: limit + 1 }, deadline);
  const profiles = found.slice(0, limit);
  const last = profiles.at(-1);
  return { profiles, nextCursor: found.length > limit && last ? writeCursor(last.username) : '' };
}

const writeCursor = (username: string): string => Buffer.from(username).toString('base64url');

function readCursor(cursor: string): string {
  const username = Buffer.from(cursor, 'base64url').toString();
  if (!isUsername(username)) throw invalid('cursor', 'is not one that a search answered');
  return username;
}
