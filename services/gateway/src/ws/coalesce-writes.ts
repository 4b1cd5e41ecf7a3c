import type { EngineConnection } from './engine-connection.ts';

type Flushing = EngineConnection & { flush(): void };
type Corkable = { cork(): void; uncork(): void };

/**
 * Makes a connection write once for each turn of the event loop: replies and events of one turn, which come in batches,
 * leave in one system call instead of one each. Nothing is delayed beyond the turn.
 */
export function coalesceWrites(connection: EngineConnection): void {
  const engine = connection as Flushing;
  const flush = engine.flush.bind(engine);
  let due = false;
  engine.flush = () => {
    if (due || engine.writeBuffer.length === 0) return;
    due = true;
    setImmediate(() => {
      due = false;
      const tcp = engine.transport.socket?._socket as unknown as Corkable | null | undefined;
      tcp?.cork();
      flush();
      tcp?.uncork();
    });
  };
}
