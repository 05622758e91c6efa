// Every metric of the platform, in one list. Scraped at /metrics (Prometheus text format).
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Metrics } from '../surfaces/http/app.ts';

export interface MetricSources {
  readonly connectedNodes: () => number;
  readonly eventStreams: () => number;
  readonly deliveryCounters: () => Readonly<Record<string, number>>;
  /** Calls with the time from the commit of a batch of changes until the streams it reaches were written. */
  readonly onDelivered: (observe: (elapsedMs: number) => void) => void;
}

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'powernode_http_request_seconds',
    help: 'Time to answer a request of the operators surface, by route and status',
    labelNames: ['route', 'status'],
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
    registers: [registry],
  });
  new Gauge({
    name: 'powernode_nodes_connected',
    help: 'Nodes whose stream is open',
    registers: [registry],
    collect() {
      this.set(sources.connectedNodes());
    },
  });
  new Gauge({
    name: 'powernode_event_streams',
    help: 'Readers of the live event stream',
    registers: [registry],
    collect() {
      this.set(sources.eventStreams());
    },
  });
  new Counter({
    name: 'powernode_delivery_total',
    help: 'What delivery has done, by what: frames, bytes, documents, deltas, acknowledgements, failures',
    labelNames: ['what'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [what, count] of Object.entries(sources.deliveryCounters())) this.inc({ what }, count);
    },
  });
  const delivered = new Histogram({
    name: 'powernode_delivery_seconds',
    help: 'Time from the commit of a batch of changes until all streams that it reaches were written',
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
    registers: [registry],
  });
  sources.onDelivered((elapsedMs) => delivered.observe(elapsedMs / 1000));
  return {
    observeRequest: ({ route, status, seconds }) =>
      requests.observe({ route, status: String(status) }, seconds),
    print: async () => ({ text: await registry.metrics(), type: registry.contentType }),
  };
}
