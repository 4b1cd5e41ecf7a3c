/** What a client sees in an upload: an image is decoded and shown, audio and video play, a file is downloaded. */
export type UploadKind = 'image' | 'file' | 'audio' | 'video';

/** What the owner wants it for. */
export type UploadPurpose = 'message' | 'avatar';

/**
 * pending: reserved, nothing verified. processing: confirmed, its bytes are in quarantine. ready: promoted, can be
 * downloaded. rejected: refused, has no bytes. deleted: a tombstone until its objects are gone for good.
 */
export type UploadStatus = 'pending' | 'processing' | 'ready' | 'rejected' | 'deleted';

/**
 * The record of one upload. Times are milliseconds since the epoch, sizes bytes. It is changed only as a whole, by
 * compare and set on `version`, so every rule is: read, decide, save, and read again when somebody else was faster.
 */
export type Upload = {
  id: string;
  ownerId: string;
  kind: UploadKind;
  purpose: UploadPurpose;
  fileName: string;
  /** What the PUT was signed for; sha256 is lower-case hex or empty. */
  declared: { contentType: string; size: number; sha256: string };
  /** What is served: the declared values until processing made something else of them. */
  contentType: string;
  size: number;
  width: number;
  height: number;
  durationMs: number;
  /** Base64, or empty. */
  thumbhash: string;
  hasThumbnail: boolean;
  status: UploadStatus;
  /** Why it was rejected, one sentence for people; else empty. */
  reason: string;
  /** Version of the quarantined bytes that were verified: processing takes these or none. */
  etag: string;
  /** Whether the storage vouched for the declared sha256; when not, processing computes it. */
  checksumVerified: boolean;
  createdAt: number;
  /** Until when the PUT may begin. */
  expiresAt: number;
  confirmedAt: number;
  /** Processing attempts that counted: those that ended by a crash, a timeout or an unexpected failure. */
  attempts: number;
  /** How often work was queued; part of the queue's message id, so that a repeat is not taken for a duplicate. */
  enqueued: number;
  /** Until when a worker has this upload to itself. */
  leaseUntil: number;
  /** Whether the last state was told to others. */
  announced: boolean;
  /** When the sweeper shall look at it next; null when nothing is left to do. */
  dueAt: number | null;
  version: number;
};

/** Limits and times of the upload rules, milliseconds and bytes. */
export type UploadRules = {
  imageBytes: number;
  fileBytes: number;
  uploadsPerHour: number;
  /** How long a presigned PUT may begin. */
  putMs: number;
  /** How long a presigned GET may begin. */
  getMs: number;
  /** After the PUT expired: how long it may still be confirmed, and when what is left of it is removed. */
  lateMs: number;
  /** After which time work that nobody began is queued again; doubles with each time. */
  requeueMs: number;
};

/** The rules of CONTRACT: 20 MB images, 100 MB files, 60 uploads an hour, URLs of 5 minutes. */
export const defaultRules: UploadRules = {
  imageBytes: 20 * 1024 * 1024,
  fileBytes: 100 * 1024 * 1024,
  uploadsPerHour: 60,
  putMs: 5 * 60_000,
  getMs: 5 * 60_000,
  lateMs: 60 * 60_000,
  requeueMs: 15_000,
};

/** Where the bytes of an upload are: unverified ones apart from what is served. No key is a prefix of another. */
export const objectKeys = (id: string) => ({
  quarantine: `quarantine/${id}`,
  content: `media/${id}/content`,
  thumbnail: `media/${id}/thumbnail`,
});

/**
 * From when on nothing new can appear at the keys of an upload: its URL has expired and no worker has it, with time to
 * spare for transfers that are under way. Removing what is left is final from then on.
 */
export function cleanUpAt(upload: Upload, rules: UploadRules, now: number): number {
  return Math.max(now, upload.expiresAt, upload.leaseUntil) + rules.lateMs;
}
