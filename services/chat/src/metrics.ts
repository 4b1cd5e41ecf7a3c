import { Counter, Gauge, type Registry } from 'prom-client';
import type { Outbox } from './log/outbox.ts';
import type { RetentionOptions } from './retention/retention.ts';

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

/** What retention does, as the process sees it that does it. */
export function observeRetention(registry: Registry): Pick<RetentionOptions, 'onRun' | 'onArchived'> {
  const archived = new Counter({
    name: 'bluewave_chat_archived_entries_total',
    help: 'Entries that were moved from the log to the archive because they were old.',
    registers: [registry],
  });
  const lastRun = new Gauge({
    name: 'bluewave_chat_retention_last_run_seconds',
    help: 'When retention last came to the end of a run in this process, seconds since the epoch; 0 for never.',
    registers: [registry],
  });
  return { onRun: (at) => lastRun.set(at / 1_000), onArchived: (entries) => archived.inc(entries) };
}
