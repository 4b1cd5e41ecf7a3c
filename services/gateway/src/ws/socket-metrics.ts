import type { ClientEventName } from '@bluewave/api/socket-events';
import type { ErrorCode } from '@bluewave/errors/error-table';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { CloseReason } from './close-socket.ts';

export type SocketMetrics = {
  /** Counts an answered event; `outcome` is `ok` or the code of the refusal. */
  answered(event: ClientEventName, outcome: 'ok' | ErrorCode, seconds: number): void;
  unknownEvents: Counter;
  closed(reason: CloseReason): void;
  refused(code: ErrorCode): void;
  /** Publishes of the adapter that Redis did not take. */
  adapterFailures: Counter;
};

/** @param connections tells the sockets that are connected now. */
export function createSocketMetrics(registry: Registry, connections: () => number): SocketMetrics {
  const registers = [registry];
  new Gauge({
    name: 'bluewave_gateway_sockets',
    help: 'Connected sockets',
    registers,
    collect() {
      this.set(connections());
    },
  });
  const events = new Counter({
    name: 'bluewave_gateway_socket_events_total',
    help: 'Answered socket events by name and outcome',
    labelNames: ['event', 'outcome'],
    registers,
  });
  const durations = new Histogram({
    name: 'bluewave_gateway_socket_event_seconds',
    help: 'Time from an event to its answer',
    labelNames: ['event'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3],
    registers,
  });
  const closed = new Counter({
    name: 'bluewave_gateway_sockets_closed_total',
    help: 'Sockets that the gateway closed, by reason',
    labelNames: ['reason'],
    registers,
  });
  const refused = new Counter({
    name: 'bluewave_gateway_handshakes_refused_total',
    help: 'Connections that were refused, by code',
    labelNames: ['code'],
    registers,
  });
  // Children are kept: looking one up by its labels costs more than counting.
  const counted = new Map<string, { inc(): void }>();
  const timed = new Map<string, { observe(seconds: number): void }>();
  return {
    answered(event, outcome, seconds) {
      const key = `${event} ${outcome}`;
      let count = counted.get(key);
      if (!count) counted.set(key, (count = events.labels(event, outcome)));
      count.inc();
      let time = timed.get(event);
      if (!time) timed.set(event, (time = durations.labels(event)));
      time.observe(seconds);
    },
    unknownEvents: new Counter({
      name: 'bluewave_gateway_unknown_events_total',
      help: 'Socket events of names that do not exist',
      registers,
    }),
    closed: (reason) => closed.inc({ reason }),
    refused: (code) => refused.inc({ code }),
    adapterFailures: new Counter({
      name: 'bluewave_gateway_adapter_failures_total',
      help: 'Cross-gateway signals that Redis did not take',
      registers,
    }),
  };
}
