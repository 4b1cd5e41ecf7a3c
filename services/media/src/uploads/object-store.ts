import type { Deadline } from './upload-store.ts';

export type StoredObject = {
  size: number;
  etag: string;
  /** Lower-case hex, or empty when the storage kept none. */
  sha256: string;
};

export type PutToSign = { key: string; contentType: string; size: number; sha256: string; seconds: number };
export type SignedPut = { url: string; headers: Record<string, string> };
export type GetToSign = { key: string; contentType: string; disposition: string; seconds: number };

/**
 * The bucket. Methods throw AppError UNAVAILABLE or DEADLINE_EXCEEDED when the storage does not answer; what is not
 * there, or no longer the version asked for, is undefined or false, never an error.
 */
export type ObjectStore = {
  head(key: string, by: Deadline): Promise<StoredObject | undefined>;
  /** The first `length` bytes (fewer when the object is shorter) of this very version. */
  readStart(key: string, etag: string, length: number, by: Deadline): Promise<Uint8Array | undefined>;
  /** All bytes of this very version, in memory. */
  read(key: string, etag: string, by: Deadline): Promise<Uint8Array | undefined>;
  /** Checksum of all bytes of this very version, lower-case hex; reads them as a stream. */
  sha256(key: string, etag: string, by: Deadline): Promise<string | undefined>;
  put(key: string, bytes: Uint8Array, contentType: string, by: Deadline): Promise<void>;
  /** Copies this very version within the bucket. @returns false when it is gone or another. */
  copy(from: string, etag: string, to: string, contentType: string, by: Deadline): Promise<boolean>;
  /** Idempotent. */
  remove(key: string, by: Deadline): Promise<void>;
};

/** Makes URLs that clients use without us; touches no network. */
export type UrlSigner = {
  signPut(put: PutToSign): Promise<SignedPut>;
  signGet(get: GetToSign): Promise<string>;
};
