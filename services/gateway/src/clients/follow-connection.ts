import { type Client, connectivityState } from '@grpc/grpc-js';

/** Connects a channel, connects it again whenever it is idle, and tells whether it is connected, now and when that changes. */
export function followConnection(client: Client, tell: (isConnected: boolean) => void): void {
  const channel = client.getChannel();
  const look = (): void => {
    if (channel.getConnectivityState(false) === connectivityState.SHUTDOWN) return;
    const state = channel.getConnectivityState(true);
    tell(state === connectivityState.READY);
    channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, look);
  };
  look();
}
