import type { Attachment } from '@bluewave/protos/generated/bluewave/chat/v1/Attachment';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { Logger } from '@bluewave/runtime/logger';
import { LRUCache } from 'lru-cache';
import type { MediaClient } from '../clients/clients.ts';
import type { UploadState } from './present-media.ts';
import type { UploadLookup } from './present-message.ts';

export type UploadStatesOptions = {
  media: Pick<MediaClient, 'GetUploads'>;
  log: Logger;
  /** Finished uploads held at most. */
  size?: number;
};

/** History does not wait for media: after this it shows what the message knew. */
const maxWaitMs = 500;
/** As many as media answers at once. */
const maxIds = 500;
const finished: ReadonlySet<string> = new Set(['ready', 'rejected']);

/**
 * Current states of attachments. A message keeps the state of its attachments at the time of the send; one that was
 * still being processed then is asked for, until it is finished.
 */
export class UploadStates {
  readonly #options: UploadStatesOptions;
  readonly #finished: LRUCache<string, UploadState>;

  constructor(options: UploadStatesOptions) {
    this.#options = options;
    this.#finished = new LRUCache({ max: options.size ?? 10_000 });
  }

  /** A lookup of newer states for these attachments; it knows nothing while media is away. Rejects never. */
  async current(attachments: Iterable<Attachment>, context: CallContext): Promise<UploadLookup> {
    const asked = new Set<string>();
    for (const one of attachments) {
      if (!finished.has(one.status) && !this.#finished.has(one.uploadId)) asked.add(one.uploadId);
    }
    const read = asked.size === 0 ? new Map<string, UploadState>() : await this.#read([...asked], context);
    return (id) => read.get(id) ?? this.#finished.get(id);
  }

  /** Notes a state that was announced. */
  note(upload: UploadState): void {
    if (finished.has(upload.status)) this.#finished.set(upload.uploadId, upload);
  }

  async #read(ids: string[], context: CallContext): Promise<Map<string, UploadState>> {
    const found = new Map<string, UploadState>();
    try {
      const limited = { ...context, deadline: Math.min(context.deadline, Date.now() + maxWaitMs) };
      const { uploads } = await this.#options.media.GetUploads({ uploadIds: ids.slice(0, maxIds) }, limited);
      for (const upload of uploads) {
        found.set(upload.uploadId, upload);
        this.note(upload);
      }
    } catch (error) {
      this.#options.log.warn({ err: error, traceId: context.traceId }, 'states of uploads cannot be read');
    }
    return found;
  }
}
