import type { Client } from '@grpc/grpc-js';

/** Whether a channel is connected, or becomes so within `ms`. */
export function canBeReached(client: Client, ms: number): Promise<boolean> {
  return new Promise((resolve) => client.waitForReady(Date.now() + ms, (error) => resolve(error === undefined)));
}
