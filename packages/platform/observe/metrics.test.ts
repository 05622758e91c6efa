// What is scraped is what the table of metrics says, and however large a fleet is, a scrape stays small.
import { metricSeriesMax } from '@powernode/core/limits/requests';
import { expect, test } from 'vitest';
import { metricNames, metricTable } from './metric-table.ts';
import { createMetrics } from './metrics.ts';
import type { NetworkFigures, OverlaySources, PeerFigures } from './overlay-metrics.ts';

const nothing: OverlaySources = {
  networks: () => [],
  instances: () => [],
  drift: () => [],
  stored: async () => ({ virtualIps: [], virtualIpsCount: 0, rules: [], rulesCount: 0, refusedPeers: [] }),
};

const job = { name: 'retention', succeeded: 3, failed: 1, lastSuccessMs: 5_000 };

function scrape(overlay: Partial<OverlaySources>): Promise<string> {
  const metrics = createMetrics({
    connectedNodes: () => 0,
    nodeProblems: () => new Map(),
    eventStreams: () => 0,
    deliveryCounters: () => ({ frames_sent: 1 }),
    onDelivered: () => undefined,
    overlay: { ...nothing, ...overlay },
    coordination: { jobs: () => [job], deletedRows: () => new Map([['events', 7]]) },
  });
  return metrics.print().then(({ text }) => text);
}

function network(peers: readonly Partial<PeerFigures>[]): NetworkFigures {
  const whole = peers.map((peer, i) => ({
    id: `p${i}`,
    hostname: `m${i}`,
    reachable: null,
    lastHandshakeMs: null,
    sources: null,
    ...peer,
  }));
  return { id: 'n1', handle: 'net', peers: whole };
}

const linesOf = (text: string, name: string) =>
  text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));

test('what is scraped and what the table has are the same, with its types and texts [9.14]', async () => {
  const text = await scrape({});
  const own = [...text.matchAll(/^# TYPE (powernode_\w+) (\w+)$/gm)].map(([, name = '', type]) => ({
    name,
    type,
  }));
  expect(new Set(own.map(({ name }) => name))).toEqual(new Set(metricNames));
  for (const { name, type } of own) expect(type).toBe(metricTable[name as keyof typeof metricTable].type);
  for (const name of metricNames) expect(text).toContain(`# HELP ${name} ${metricTable[name].help}`);
});

test('a network, its peers and hubs are shown as they are now [9.14]', async () => {
  const peers: Partial<PeerFigures>[] = [
    { reachable: true, lastHandshakeMs: 5_000, sources: { heard: 1, silent: 2 } },
    { reachable: false },
    {},
  ];
  const text = await scrape({
    networks: () => [network(peers)],
    instances: () => [{ accountId: 'a', state: 'offline', count: 3 }],
    drift: () => [{ instanceId: 'i', hostname: 'm', count: 4 }],
  });
  const of = 'network_id="n1",network="net"';
  expect(linesOf(text, 'powernode_network_peers')).toEqual([
    `powernode_network_peers{${of},state="reachable"} 1`,
    `powernode_network_peers{${of},state="unreachable"} 1`,
    `powernode_network_peers{${of},state="unknown"} 1`,
  ]);
  expect(linesOf(text, 'powernode_peer_reachable')).toEqual([
    `powernode_peer_reachable{${of},peer_id="p0",hostname="m0"} 1`,
    `powernode_peer_reachable{${of},peer_id="p1",hostname="m1"} 0`,
  ]);
  expect(linesOf(text, 'powernode_peer_last_handshake_timestamp_seconds')).toEqual([
    `powernode_peer_last_handshake_timestamp_seconds{${of},peer_id="p0",hostname="m0"} 5`,
  ]);
  expect(linesOf(text, 'powernode_hub_sources')).toEqual([
    `powernode_hub_sources{${of},peer_id="p0",hostname="m0",state="heard"} 1`,
    `powernode_hub_sources{${of},peer_id="p0",hostname="m0",state="silent"} 2`,
  ]);
  expect(linesOf(text, 'powernode_instances')).toEqual([
    'powernode_instances{account_id="a",state="offline"} 3',
  ]);
  expect(linesOf(text, 'powernode_drift_repaired_total')).toEqual([
    'powernode_drift_repaired_total{instance_id="i",hostname="m"} 4',
  ]);
});

test('objects beyond the limit have no series and are counted [9.14]', async () => {
  const peers = Array.from({ length: metricSeriesMax + 7 }, () => ({ reachable: true }));
  const text = await scrape({ networks: () => [network(peers)] });
  expect(linesOf(text, 'powernode_peer_reachable')).toHaveLength(metricSeriesMax);
  expect(text).toContain('powernode_metric_series_left_out{of="peer"} 7');
  expect(text).toContain(`state="reachable"} ${metricSeriesMax + 7}`);
});

test('periodic jobs and what retention deleted are counted', async () => {
  const text = await scrape({});
  expect(linesOf(text, 'powernode_job_runs_total')).toEqual([
    'powernode_job_runs_total{job="retention",outcome="succeeded"} 3',
    'powernode_job_runs_total{job="retention",outcome="failed"} 1',
  ]);
  expect(linesOf(text, 'powernode_job_last_success_timestamp_seconds')).toEqual([
    'powernode_job_last_success_timestamp_seconds{job="retention"} 5',
  ]);
  expect(linesOf(text, 'powernode_retention_deleted_rows_total')).toEqual([
    'powernode_retention_deleted_rows_total{table="events"} 7',
  ]);
});
