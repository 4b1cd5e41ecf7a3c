import { Counter, Gauge, type Registry } from 'prom-client';
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

/** Counts reports of messages. @returns what to call for each, with its reason. */
export function countReports(registry: Registry): (reason: string) => void {
  const reports = new Counter({
    name: 'bluewave_chat_reports_total',
    help: 'Messages that people reported, each person and message once, by reason.',
    labelNames: ['reason'],
    registers: [registry],
  });
  return (reason) => reports.inc({ reason });
}
