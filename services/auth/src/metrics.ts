import { Gauge, Histogram, type Registry } from 'prom-client';
import type { Passwords } from './credentials/passwords.ts';
import type { CallDurations } from './grpc/observe.ts';

/** What operators see: calls by method and outcome (so logins by outcome), and passwords that wait. */
export function createAuthMetrics(registry: Registry, passwords: Passwords): { durations: CallDurations } {
  const durations = new Histogram({
    name: 'bluewave_auth_call_seconds',
    help: 'Duration of calls by method and outcome (ok or the error code)',
    labelNames: ['method', 'outcome'] as const,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2],
    registers: [registry],
  });
  new Gauge({
    name: 'bluewave_auth_passwords_queued',
    help: 'Passwords that wait to be hashed or verified',
    registers: [registry],
    collect() {
      this.set(passwords.queued);
    },
  });
  return { durations };
}
