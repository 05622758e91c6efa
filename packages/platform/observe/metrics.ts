// Every metric of the platform, as it is scraped at /metrics (Prometheus text format). Their names and meanings are in
// metric-table.ts.
import { nodeProblemTable } from '@powernode/core/wire/node-problems';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type CoordinationSources, registerCoordinationMetrics } from './coordination-metrics.ts';
import { type MetricName, metricTable } from './metric-table.ts';
import { type OverlaySources, registerOverlayMetrics } from './overlay-metrics.ts';

/** Counting what the surface does, and printing all that was counted. */
export interface Metrics {
  readonly observeRequest: (facts: { route: string; status: number; seconds: number }) => void;
  readonly print: () => Promise<{ text: string; type: string }>;
}

export interface MetricSources {
  readonly connectedNodes: () => number;
  /** By code. */
  readonly nodeProblems: () => ReadonlyMap<string, number>;
  readonly eventStreams: () => number;
  readonly deliveryCounters: () => Readonly<Record<string, number>>;
  /** Calls with the time from the commit of a batch of changes until the streams it reaches were written. */
  readonly onDelivered: (observe: (elapsedMs: number) => void) => void;
  readonly overlay: OverlaySources;
  readonly coordination: CoordinationSources;
}

function described(name: MetricName) {
  const { help, labels } = metricTable[name];
  return { name, help, labelNames: [...labels] };
}

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    ...described('powernode_http_request_seconds'),
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
    registers: [registry],
  });
  new Gauge({
    ...described('powernode_nodes_connected'),
    registers: [registry],
    collect() {
      this.set(sources.connectedNodes());
    },
  });
  new Gauge({
    ...described('powernode_node_problems'),
    registers: [registry],
    collect() {
      this.reset();
      const counts = sources.nodeProblems();
      // Every code is there from the beginning, so that an alert on one needs no special case for its absence.
      for (const code of Object.keys(nodeProblemTable)) this.set({ code }, counts.get(code) ?? 0);
    },
  });
  new Gauge({
    ...described('powernode_event_streams'),
    registers: [registry],
    collect() {
      this.set(sources.eventStreams());
    },
  });
  new Counter({
    ...described('powernode_delivery_total'),
    registers: [registry],
    collect() {
      this.reset();
      for (const [what, count] of Object.entries(sources.deliveryCounters())) this.inc({ what }, count);
    },
  });
  const delivered = new Histogram({
    ...described('powernode_delivery_seconds'),
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
    registers: [registry],
  });
  sources.onDelivered((elapsedMs) => delivered.observe(elapsedMs / 1000));
  registerCoordinationMetrics(registry, sources.coordination);
  const readOverlay = registerOverlayMetrics(registry, sources.overlay);
  return {
    observeRequest: ({ route, status, seconds }) =>
      requests.observe({ route, status: String(status) }, seconds),
    print: async () => {
      await readOverlay();
      return { text: await registry.metrics(), type: registry.contentType };
    },
  };
}
