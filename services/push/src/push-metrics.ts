import { Counter, Histogram, type Registry } from 'prom-client';

export type PushMetrics = {
  attempted(outcome: string, tookMs: number): void;
  accepted(lagMs: number): void;
};

/** What operators watch: attempts by outcome, how long the provider takes, how far behind notifications are. */
export function createPushMetrics(registry: Registry): PushMetrics {
  const registers = [registry];
  const attempts = new Counter({
    name: 'bluewave_push_attempts_total',
    help: 'Attempts to deliver a notification, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'bluewave_push_send_seconds',
    help: 'How long the provider took to answer.',
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const lag = new Histogram({
    name: 'bluewave_push_lag_seconds',
    help: 'From the commit of a message to the acceptance of its notification.',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600],
    registers,
  });
  return {
    attempted: (outcome, tookMs) => {
      attempts.inc({ outcome });
      seconds.observe(tookMs / 1_000);
    },
    accepted: (lagMs) => lag.observe(lagMs / 1_000),
  };
}
