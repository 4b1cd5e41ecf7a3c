import { processUpload as processUploadCodec } from '@bluewave/events/codec';
import type { EventBus } from '@bluewave/events/event-bus';
import { streams } from '@bluewave/events/subjects';
import { type Work, WorkConsumer, type WorkOutcome } from '@bluewave/events/work-consumer';
import { newTraceId } from '@bluewave/runtime/ids';
import { type ProcessParts, processUpload } from '../processing/process-upload.ts';

export type WorkerOptions = {
  bus: EventBus;
  /** Where the work arrives; also names the durable consumer. */
  subject: string;
  parts: ProcessParts;
  /** Uploads processed at once. */
  concurrency: number;
  /** Copies of the stream in a NATS cluster. */
  replicas: number;
};

const marginMs = 15_000;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Takes processing work for as long as it lives; its replicas share the queue. */
export function startProcessWorker({ bus, subject, parts, concurrency, replicas }: WorkerOptions): WorkConsumer {
  return new WorkConsumer({
    bus,
    stream: streams.mediaWork,
    subject,
    replicas,
    durable: `media-${subject.split('.').at(-1)}`,
    concurrency,
    // Work that is still under way is not given to another; what a crash left, the sweeper queues before.
    ackWaitMs: parts.process.jobMs + marginMs,
    log: parts.log,
    handle: (work) => handle(parts, work),
  });
}

async function handle(parts: ProcessParts, work: Work): Promise<WorkOutcome> {
  const { uploadId, traceId } = processUploadCodec.decode(work.data);
  if (!uuid.test(uploadId)) return { kind: 'drop', reason: 'no upload id' };
  const retryAfterMs = await processUpload(parts, uploadId, traceId === '' ? newTraceId() : traceId);
  return retryAfterMs === 0 ? { kind: 'done' } : { kind: 'retry', afterMs: retryAfterMs };
}
