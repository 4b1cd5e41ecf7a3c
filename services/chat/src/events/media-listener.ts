import { setMaxListeners } from 'node:events';
import { conversationSignal, mediaUpdated } from '@bluewave/events/codec';
import type { BusSubscription, EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import { sleep } from '@bluewave/runtime/deadline';
import type { Logger } from '@bluewave/runtime/logger';
import type { ReadStore } from '../reading/read-store.ts';

/**
 * A send that took an upload's state over before it changed may be committed after: within these times, in milliseconds
 * after the one before, since no send takes longer than 5 s.
 */
const looksAgainAfterMs = [1_000, 5_000];

/**
 * Forwards an upload's new state to the conversations that show it, also to those that do so a moment later. One chat
 * process hears each event.
 */
export function listenToMedia(
  bus: Pick<EventBus, 'publish' | 'subscribe'>,
  reads: Pick<ReadStore, 'conversationsShowing'>,
  log: Logger,
): BusSubscription {
  const abort = new AbortController();
  // Every upload of the last seconds waits.
  setMaxListeners(0, abort.signal);
  const forward = async (data: Uint8Array): Promise<void> => {
    const { upload } = mediaUpdated.decode(data);
    if (!upload) return;
    const told = new Set<string>();
    for (const waitMs of [0, ...looksAgainAfterMs]) {
      if (waitMs > 0) await sleep(waitMs, abort.signal);
      for (const conversationId of await reads.conversationsShowing(upload.uploadId)) {
        if (told.has(conversationId)) continue;
        told.add(conversationId);
        const signal = conversationSignal.encode({ conversationId, mediaUpdated: upload });
        bus.publish(subjects.signal(conversationId), signal);
      }
    }
  };
  const subscription = bus.subscribe(
    subjects.mediaUpdated,
    ({ data }) => {
      // What is lost here a client learns with its next read of the message.
      forward(data).catch((error: unknown) => {
        if (!abort.signal.aborted) log.warn({ err: error }, 'a media update was not forwarded');
      });
    },
    'chat',
  );
  return {
    close() {
      subscription.close();
      abort.abort(new Error('closed'));
    },
  };
}
