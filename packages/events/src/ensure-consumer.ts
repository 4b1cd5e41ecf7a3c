import { type ConsumerConfig, type JetStreamManager, NatsError } from 'nats';

const consumerExists = 10148;

/**
 * Creates a durable consumer, or gives the one that is there what changed since an earlier release made it. Where a
 * new consumer begins in the stream cannot change and is left. Safe when many processes do it at once.
 */
export async function ensureConsumer(
  jsm: JetStreamManager,
  stream: string,
  config: Partial<ConsumerConfig> & { durable_name: string },
): Promise<void> {
  try {
    await jsm.consumers.add(stream, config);
  } catch (error) {
    if (!(error instanceof NatsError) || error.api_error?.err_code !== consumerExists) throw error;
    const { deliver_policy: _begin, ...changeable } = config;
    await jsm.consumers.update(stream, config.durable_name, changeable);
  }
}
