import type { AckedPublisher } from '@bluewave/events/acked-publisher';
import { processUpload } from '@bluewave/events/codec';
import type { WorkQueue } from '../uploads/outbound.ts';

/** Queues processing work in JetStream, on a subject of the MEDIA_WORK stream; true once the stream holds it. */
export function createNatsWorkQueue(publisher: AckedPublisher, subject: string): WorkQueue {
  return {
    enqueue: (upload, traceId) =>
      new Promise((resolve) => {
        const work = processUpload.encode({ uploadId: upload.id, traceId });
        // The stream remembers ids for a while: a repeat on purpose needs an id of its own.
        publisher.publish(subject, `${upload.id}:${upload.enqueued}`, work, (outcome) => resolve(outcome === 'acked'));
      }),
  };
}
