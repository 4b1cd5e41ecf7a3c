import { conversationSignal, mediaUpdated } from '@bluewave/events/codec';
import type { BusSubscription, EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import type { Logger } from '@bluewave/runtime/logger';
import type { ReadStore } from '../reading/read-store.ts';

/** Forwards an upload's new state to the conversations that show it. One chat process hears each event. */
export function listenToMedia(bus: EventBus, reads: ReadStore, log: Logger): BusSubscription {
  const forward = async (data: Uint8Array): Promise<void> => {
    const { upload } = mediaUpdated.decode(data);
    if (!upload) return;
    for (const conversationId of await reads.conversationsShowing(upload.uploadId)) {
      const signal = conversationSignal.encode({ conversationId, mediaUpdated: upload });
      bus.publish(subjects.signal(conversationId), signal);
    }
  };
  return bus.subscribe(
    subjects.mediaUpdated,
    ({ data }) => {
      // What is lost here a client learns with its next read of the message.
      forward(data).catch((error: unknown) => log.warn({ err: error }, 'a media update was not forwarded'));
    },
    'chat',
  );
}
