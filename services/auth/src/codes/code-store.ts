/** A one-time code as it is kept: never the code itself. */
export type StoredCode = { hash: string; kid: string; expiresAt: number };

/** Codes by identity. When they cannot be read or written, every method rejects with UNAVAILABLE (fail closed). */
export type CodeStore = {
  /** Keeps a code for the identity in place of the one before. */
  put(identityKey: string, code: StoredCode): Promise<void>;
  /**
   * Counts a guess and only then compares; a right one takes the code away, as does the last wrong one. One atomic
   * step, so that no two guesses win and no more than `maxGuesses` are ever compared.
   * @param hashes the guess under each server secret, by its kid.
   */
  guess(identityKey: string, hashes: ReadonlyMap<string, string>, now: number, maxGuesses: number): Promise<boolean>;
};
