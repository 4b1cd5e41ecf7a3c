import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';

/** What is touched of the driver's own connection, which it does not export. */
type DriverConnection = { readonly socket: EventEmitter; cleanup(error: Error): void };

const driver = createRequire(createRequire(import.meta.url).resolve('mongoose'));
const { Connection } = driver('mongodb/lib/cmap/connection.js') as { Connection: { prototype: DriverConnection } };

/**
 * Lets no command wait for ever for a socket that is gone. Driver 7.9 and before wait until a full socket has drained,
 * or failed; one that ended does neither: the command, and the close of a client, never came to an end, and their place
 * in the pool was lost. When its connection is closed, a command that waits goes on, and finds that it is.
 */
export function settleWrites(): void {
  const { prototype } = Connection;
  const { cleanup } = prototype;
  prototype.cleanup = function (error: Error): void {
    cleanup.call(this, error);
    this.socket.emit('drain');
  };
}
