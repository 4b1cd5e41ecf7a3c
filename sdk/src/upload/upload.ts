import { aborted, BluewaveError, toBluewaveError } from '../bluewave-error.ts';
import { reconnectDelay } from '../connection/backoff.ts';
import type { Media, Operations } from '../contract.ts';
import { type Environment, newUuid, pause } from '../environment.ts';
import type { Api } from '../rest/api.ts';
import { createPutBytes, type PutBytes, readBytes } from './put-bytes.ts';
import { createSha256 } from './sha256.ts';

export type UploadOptions = {
  /** Needed when the file does not say it itself. */
  fileName?: string;
  contentType?: string;
  /** `message` unless it shall be an avatar. */
  purpose?: 'message' | 'avatar';
  conversationId?: string;
  /** Told bytes put so far, of all; goes back when the upload begins again. */
  onProgress?: (progress: { sent: number; total: number }) => void;
  signal?: AbortSignal;
};

export type UploadDeps = { api: Api; environment: Environment; put?: PutBytes };

type Ticket = Operations['mediaUploadUrl']['answer'];
type Wanted = Operations['mediaUploadUrl']['input']['body'];
type File = Blob | Uint8Array<ArrayBuffer>;

const tries = 6;
const hashedAtOnce = 1024 * 1024;

/**
 * Uploads a file straight to the object storage: asks for a presigned URL, puts the bytes, has them verified. Tries
 * again while the network fails, with a new URL when the old one has expired. What it resolves with can be attached to
 * a message at once, also while it is still `processing`.
 *
 * @throws BluewaveError: ABORTED; what the platform refuses (FILE_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, UPLOAD_REJECTED);
 * UPLOAD_FAILED when the storage does; OFFLINE or TIMEOUT when the network did not let it through
 */
export async function upload(deps: UploadDeps, file: File, options: UploadOptions = {}): Promise<Media> {
  const wanted = await describe(file, options);
  let ticket: (Ticket & { wasCut?: boolean; isPut?: boolean }) | undefined;
  for (let failures = 0; ; failures += 1) {
    try {
      ticket ??= await deps.api('mediaUploadUrl', { body: wanted }, callOptions(deps, options));
      if (!ticket.isPut) await putFile(deps, file, wanted.size, ticket, options);
      ticket.isPut = true;
      return await deps.api('mediaConfirm', { body: { uploadId: ticket.uploadId } }, callOptions(deps, options));
    } catch (thrown) {
      const error = toBluewaveError(thrown);
      if (options.signal?.aborted) throw aborted();
      if (startsAgain(error, ticket?.wasCut === true)) ticket = undefined;
      else if (!error.retryable) throw error;
      else if (ticket && !ticket.isPut) ticket.wasCut = true;
      if (failures + 1 >= tries) throw error;
      const { clock, random } = deps.environment;
      const ms = reconnectDelay(failures, error.retryAfterMs ?? 0, random());
      if (!(await pause(clock, ms, options.signal))) throw aborted();
    }
  }
}

/** Whether the URL is of no more use, but another one will be: some storages keep what was cut off on its way. */
function startsAgain({ code, retryable }: BluewaveError, wasCut: boolean): boolean {
  if (code === 'UPLOAD_FAILED') return retryable;
  return code === 'UPLOAD_MISSING' || code === 'UPLOAD_EXPIRED' || (code === 'UPLOAD_REJECTED' && wasCut);
}

function callOptions({ environment }: UploadDeps, { signal }: UploadOptions) {
  return { idempotencyKey: newUuid(environment.random), ...(signal ? { signal } : {}) };
}

async function describe(file: File, options: UploadOptions): Promise<Wanted> {
  const named = file as { name?: string; type?: string };
  const size = file instanceof Uint8Array ? file.length : file.size;
  // Browsers add parameters to some types; the platform wants the type alone.
  const contentType = (options.contentType ?? named.type ?? '').split(';')[0]?.trim().toLowerCase();
  const sha256 = await hash(file, size, options.signal);
  return {
    fileName: options.fileName ?? named.name ?? 'file',
    contentType: contentType || 'application/octet-stream',
    size,
    purpose: options.purpose ?? 'message',
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(options.conversationId === undefined ? {} : { conversationId: options.conversationId }),
  };
}

/** Undefined where files cannot be read, as in older React Native: then only length and type are verified. */
async function hash(file: File, size: number, signal: AbortSignal | undefined): Promise<string | undefined> {
  if (!(file instanceof Uint8Array) && typeof file.arrayBuffer !== 'function') return undefined;
  const sha256 = createSha256();
  for (let at = 0; at < size; at += hashedAtOnce) {
    if (signal?.aborted) throw aborted();
    sha256.update(await readBytes(file, at, Math.min(size, at + hashedAtOnce)));
  }
  return sha256.digest();
}

async function putFile(
  deps: UploadDeps,
  body: File,
  size: number,
  ticket: Ticket,
  options: UploadOptions,
): Promise<void> {
  const { onProgress, signal } = options;
  const put = deps.put ?? createPutBytes(deps.environment);
  onProgress?.({ sent: 0, total: size });
  const onSent = (sent: number): void => onProgress?.({ sent: Math.min(sent, size), total: size });
  const status = await put({ url: ticket.url, headers: ticket.headers, body, size, onSent, signal });
  // 412: an earlier try got there, and its answer was lost. Whether it is whole, the confirmation finds out.
  if (status >= 400 && status !== 412) {
    const message = `The storage answered ${status} to the upload.`;
    throw new BluewaveError('UPLOAD_FAILED', message, { retryable: status >= 500 || status === 403 });
  }
  onProgress?.({ sent: size, total: size });
}
