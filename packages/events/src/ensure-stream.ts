import { DiscardPolicy, type JetStreamManager, nanos, NatsError, RetentionPolicy, StorageType } from 'nats';
import type { StreamDefinition } from './subjects.ts';

const streamNotFound = 10059;

/**
 * Creates a stream of the table or brings it to its definition. Safe when many processes do it at once: all of them
 * write the same. @param replicas copies in a NATS cluster, 1 or 3.
 */
export async function ensureStream(jsm: JetStreamManager, stream: StreamDefinition, replicas: number): Promise<void> {
  const config = {
    name: stream.name,
    subjects: [...stream.subjects],
    retention: stream.workQueue ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    storage: StorageType.File,
    max_age: nanos(stream.maxAgeMs),
    max_bytes: stream.maxBytes,
    duplicate_window: nanos(stream.duplicateWindowMs),
    num_replicas: replicas,
  };
  try {
    await jsm.streams.info(stream.name);
    await jsm.streams.update(stream.name, config);
  } catch (error) {
    if (!(error instanceof NatsError) || error.api_error?.err_code !== streamNotFound) throw error;
    await jsm.streams.add(config);
  }
}
