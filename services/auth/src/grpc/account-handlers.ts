import { getOwnAccount, getProfiles, searchProfiles } from '../accounts/profiles.ts';
import { parseUuid } from '../accounts/invalid.ts';
import type { AuthHandlers } from './auth-handlers.ts';
import type { AuthParts } from './parts.ts';
import { accountReply, userReply } from './replies.ts';

type AccountHandlers = Pick<AuthHandlers, 'GetUsers' | 'GetMe' | 'SearchUsers' | 'GetKeys'>;

/** People, and the keys their tokens are checked with. */
export const accountHandlers = ({ accounts, jwksJson }: AuthParts): AccountHandlers => ({
  GetUsers: async ({ ids }, { deadline }) => ({ users: (await getProfiles(accounts, ids, deadline)).map(userReply) }),
  GetMe: async ({ actorId }, { deadline }) => accountReply(await getOwnAccount(accounts, actorId, deadline)),
  SearchUsers: async ({ actorId, query, limit, cursor }, { deadline }) => {
    parseUuid(actorId, 'actorId');
    const { profiles, nextCursor } = await searchProfiles(accounts, { query, limit, cursor }, deadline);
    return { users: profiles.map(userReply), nextCursor };
  },
  GetKeys: async () => ({ jwksJson }),
});
