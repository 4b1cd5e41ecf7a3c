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

/** Whose client this is: kept, or asked for before the first connection. */
export class Account {
  readonly #keeper: Pick<Keeper, 'keepValue'>;
  readonly #user: Value<UserSummary | undefined>;

  constructor(values: Record<string, string>, keeper: Pick<Keeper, 'keepValue'>) {
    this.#keeper = keeper;
    this.#user = createValue(readUser(values));
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
    if (this.#user.get()) return;
    const { id, username, displayName, avatarUrl } = await api('usersMe');
    const user: UserSummary = { id, username, displayName, avatarUrl };
    this.#keeper.keepValue(userKey, JSON.stringify(user));
    this.#user.set(user);
  }
}
