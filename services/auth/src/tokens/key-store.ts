import type { Deadline } from '@bluewave/runtime/deadline';

/** Keeps the signing key of a development platform, so that tokens outlive a restart. */
export type KeyStore = {
  /** Keeps `pem` unless one is kept already. @returns the one that is kept, the same for every caller. */
  keepFirst(pem: string, deadline: Deadline): Promise<string>;
};
