import { BluewaveError } from './bluewave-error.ts';
import type { UserSummary } from './contract.ts';
import { createValue, type Observable, type Value } from './observable.ts';
import type { Api } from './rest/api.ts';
import type { TokenSource } from './rest/token-source.ts';
import type { Keeper } from './store/keeper.ts';
import type { Store, StoredState } from './store/store.ts';

const userKey = 'user';

/**
 * What a store holds for a user. Somebody else's things are removed first: they must neither be shown nor sent.
 *
 * @param userId whose client this is; undefined when that is not known yet
 */
export async function openStore(store: Store, userId: string | undefined): Promise<StoredState> {
  const state = await store.load();
  const owner = readUser(state.values)?.id;
  if (owner === undefined || userId === undefined || owner === userId) return state;
  await store.clear();
  return store.load();
}

function readUser(values: Record<string, string>): UserSummary | undefined {
  const kept = values[userKey];
  return kept === undefined ? undefined : (JSON.parse(kept) as UserSummary);
}

/** Whose client this is: kept and known to be right, or asked for before the first connection. */
export class Account {
  readonly #keeper: Pick<Keeper, 'keepValue'>;
  readonly #user: Value<UserSummary | undefined>;
  #isSure: boolean;

  /** @param userId whose client this is; undefined when only the token knows */
  constructor(values: Record<string, string>, userId: string | undefined, keeper: Pick<Keeper, 'keepValue'>) {
    const user = readUser(values);
    this.#keeper = keeper;
    this.#user = createValue(user);
    this.#isSure = user !== undefined && user.id === userId;
  }

  get user(): Observable<UserSummary | undefined> {
    return this.#user;
  }

  /** Empty while it is not known. */
  get id(): string {
    return this.#user.get()?.id ?? '';
  }

  /** Tokens for a connection: by the time it is opened, the user is known. */
  identifying(tokens: TokenSource, api: Api): TokenSource {
    return {
      get: async () => {
        await this.#identify(api);
        return tokens.get();
      },
      reject: (token) => tokens.reject(token),
    };
  }

  async #identify(api: Api): Promise<void> {
    if (this.#isSure) return;
    const { id, username, displayName, avatarUrl } = await api('usersMe');
    const known = this.#user.get();
    if (known && known.id !== id) throw otherUser();
    const user: UserSummary = { id, username, displayName, avatarUrl };
    this.#keeper.keepValue(userKey, JSON.stringify(user));
    this.#isSure = true;
    this.#user.set(user);
  }
}

/** What is shown and waits to be sent belongs to somebody else than the token. */
function otherUser(): BluewaveError {
  const message = 'The store holds the things of another user: give `userId`, and it is emptied first.';
  return new BluewaveError('OTHER_USER', message, { retryable: false });
}
