import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { UploadMeter } from '../uploads/outbound.ts';

/** The figures of uploads for `/metrics`. */
export function createPrometheusMeter(registry: Registry): UploadMeter {
  const registers = [registry];
  const uploads = new Counter({
    name: 'bluewave_media_uploads_total',
    help: 'Uploads by kind and what became of them',
    labelNames: ['kind', 'outcome'] as const,
    registers,
  });
  const processing = new Histogram({
    name: 'bluewave_media_processing_seconds',
    help: 'Time from taking an upload to its bytes being in place',
    labelNames: ['kind'] as const,
    buckets: [0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40],
    registers,
  });
  const queueAge = new Gauge({
    name: 'bluewave_media_queue_age_seconds',
    help: 'Age of the oldest confirmed upload that is not processed',
    registers,
  });
  return {
    outcome: (kind, outcome) => uploads.inc({ kind, outcome }),
    processed: (kind, seconds) => processing.observe({ kind }, seconds),
    queueAge: (seconds) => queueAge.set(seconds),
  };
}
