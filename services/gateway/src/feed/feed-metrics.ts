import { Counter, Gauge, type Registry } from 'prom-client';

export type FeedMetrics = {
  /** Entries handed on, once a conversation however many sockets hear them. */
  delivered: Counter;
  /** Reads of the log for entries that the bus did not bring. */
  gapFetches: Counter;
  /** Failed reads and preparations; each is tried again. */
  failures: Counter;
};

/** @param feeds tells the conversations that are followed now. */
export function createFeedMetrics(registry: Registry, feeds: () => number): FeedMetrics {
  const registers = [registry];
  new Gauge({
    name: 'bluewave_gateway_feeds',
    help: 'Conversations with a local member',
    registers,
    collect() {
      this.set(feeds());
    },
  });
  return {
    delivered: new Counter({ name: 'bluewave_gateway_entries_delivered_total', help: 'Entries delivered', registers }),
    gapFetches: new Counter({ name: 'bluewave_gateway_gap_fetches_total', help: 'Reads that closed gaps', registers }),
    failures: new Counter({ name: 'bluewave_gateway_feed_failures_total', help: 'Feed steps retried', registers }),
  };
}
