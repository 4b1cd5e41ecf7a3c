/** An account as its owner sees it. Times are milliseconds since the epoch. */
export type Account = {
  id: string;
  username: string;
  displayName: string;
  email: string | undefined;
  /** E.164. */
  phone: string | undefined;
  emailVerified: boolean;
  avatarUrl: string | undefined;
  bio: string;
  createdAt: number;
};

/** What anybody may see of an account. */
export type Profile = Pick<Account, 'id' | 'username' | 'displayName' | 'avatarUrl' | 'bio' | 'createdAt'>;

/** An account with the secret that opens it; never leaves the credential rules. */
export type AccountWithPassword = Account & { passwordHash: string | undefined };
