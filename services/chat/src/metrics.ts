import { Gauge, type Registry } from 'prom-client';
import type { Outbox } from './log/outbox.ts';

/** Figures of the chat service beside those of the process. */
export function observeChat(registry: Registry, outbox: Outbox): void {
  new Gauge({
    name: 'bluewave_chat_outbox_entries',
    help: 'Entries that are committed or unknown but not known to be published and projected.',
    registers: [registry],
    collect() {
      this.set(outbox.size);
    },
  });
}
