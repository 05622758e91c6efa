// Metrics of what the overlays are like now: machines, networks, peers, hubs, virtual IPs, drift, rules. One series for
// each object, up to a limit for each kind; what is left out is counted.
import { metricSeriesMax } from '@powernode/core/limits/requests';
import { Counter, Gauge, type Registry } from 'prom-client';
import { type MetricName, metricTable } from './metric-table.ts';

export interface PeerFigures {
  readonly id: string;
  readonly hostname: string;
  readonly reachable: boolean | null;
  readonly lastHandshakeMs: number | null;
  /** Of hubs that spokes keep a tunnel to. */
  readonly sources: { readonly heard: number; readonly silent: number } | null;
}

export interface NetworkFigures {
  readonly id: string;
  readonly handle: string;
  readonly peers: Iterable<PeerFigures>;
}

export interface VirtualIpFigures {
  readonly id: string;
  readonly network_id: string;
  readonly name: string;
  readonly state: string;
  readonly epoch: number;
}

export interface RuleFigures {
  readonly rule_id: string;
  readonly network_id: string;
  readonly name: string;
  readonly packets: number;
  readonly bytes: number;
}

/** What is in rows: at most `metricSeriesMax` of each, and how many there are. */
export interface StoredFigures {
  readonly virtualIps: readonly VirtualIpFigures[];
  readonly virtualIpsCount: number;
  readonly rules: readonly RuleFigures[];
  readonly rulesCount: number;
  /** Networks with peers whose announcements are refused, and how many such peers each has. */
  readonly refusedPeers: readonly { readonly network_id: string; readonly count: number }[];
}

export interface OverlaySources {
  readonly networks: () => Iterable<NetworkFigures>;
  readonly instances: () => Iterable<{
    readonly accountId: string;
    readonly state: 'online' | 'offline' | 'unknown';
    readonly count: number;
  }>;
  readonly drift: () => Iterable<{
    readonly instanceId: string;
    readonly hostname: string;
    readonly count: number;
  }>;
  readonly stored: () => Promise<StoredFigures>;
}

type Labels = Record<string, string>;

/** Answers the function that reads them all, to be called before each scrape. */
export function registerOverlayMetrics(registry: Registry, sources: OverlaySources): () => Promise<void> {
  const series = new Map(names.map((name) => [name, seriesOf(registry, name)]));
  const set: Set = (name, labels, value) => series.get(name)?.set(labels, value);
  return async () => {
    const stored = await sources.stored();
    for (const one of series.values()) one.reset();
    for (const { accountId, state, count } of sources.instances()) {
      set('powernode_instances', { account_id: accountId, state }, count);
    }
    let peers = 0;
    for (const network of sources.networks()) {
      peers += setNetwork(network, { set, room: metricSeriesMax - peers });
    }
    setDrift(sources.drift(), set);
    setStored(stored, set);
    set('powernode_metric_series_left_out', { of: 'peer' }, Math.max(peers - metricSeriesMax, 0));
  };
}

function seriesOf(registry: Registry, name: MetricName) {
  const { type, help, labels } = metricTable[name];
  const options = { name, help, labelNames: [...labels], registers: [registry] };
  if (type === 'gauge') return new Gauge(options);
  const counter = new Counter(options);
  return { reset: () => counter.reset(), set: (of: Labels, value: number) => counter.inc(of, value) };
}

type Set = (name: MetricName, labels: Labels, value: number) => void;

/** Answers how many peers it has. `room`: for so many more there are series. */
function setNetwork(network: NetworkFigures, to: { readonly set: Set; readonly room: number }): number {
  const { set, room } = to;
  const of = { network_id: network.id, network: network.handle };
  const states = { reachable: 0, unreachable: 0, unknown: 0 };
  let count = 0;
  for (const { id, hostname, reachable, lastHandshakeMs, sources } of network.peers) {
    count++;
    states[reachable === null ? 'unknown' : reachable ? 'reachable' : 'unreachable']++;
    const labels = { ...of, peer_id: id, hostname };
    // There are few hubs, and one that is left out is the one that is looked for.
    for (const state of sources === null ? [] : (['heard', 'silent'] as const)) {
      set('powernode_hub_sources', { ...labels, state }, sources?.[state] ?? 0);
    }
    if (count > room) continue;
    if (reachable !== null) set('powernode_peer_reachable', labels, Number(reachable));
    if (lastHandshakeMs !== null) {
      set('powernode_peer_last_handshake_timestamp_seconds', labels, lastHandshakeMs / 1000);
    }
  }
  for (const [state, peers] of Object.entries(states))
    set('powernode_network_peers', { ...of, state }, peers);
  return count;
}

function setDrift(drift: ReturnType<OverlaySources['drift']>, set: Set): void {
  let machines = 0;
  for (const { instanceId, hostname, count } of drift) {
    machines++;
    if (machines > metricSeriesMax) continue;
    set('powernode_drift_repaired_total', { instance_id: instanceId, hostname }, count);
  }
  set('powernode_metric_series_left_out', { of: 'drift' }, Math.max(machines - metricSeriesMax, 0));
}

function setStored(
  { virtualIps, virtualIpsCount, rules, rulesCount, refusedPeers }: StoredFigures,
  set: Set,
): void {
  for (const { network_id, count } of refusedPeers) set('powernode_bgp_refused_peers', { network_id }, count);
  for (const { id, network_id, name, state, epoch } of virtualIps) {
    const labels = { network_id, virtual_ip_id: id, name };
    set('powernode_virtual_ip_state', { ...labels, state }, 1);
    set('powernode_virtual_ip_epoch', labels, epoch);
  }
  for (const { rule_id, network_id, name, packets, bytes } of rules) {
    const labels = { network_id, rule_id, name };
    set('powernode_firewall_rule_packets_total', labels, packets);
    set('powernode_firewall_rule_bytes_total', labels, bytes);
  }
  set('powernode_metric_series_left_out', { of: 'virtual_ip' }, virtualIpsCount - virtualIps.length);
  set('powernode_metric_series_left_out', { of: 'firewall_rule' }, rulesCount - rules.length);
}

const names: readonly MetricName[] = [
  'powernode_instances',
  'powernode_network_peers',
  'powernode_peer_reachable',
  'powernode_peer_last_handshake_timestamp_seconds',
  'powernode_hub_sources',
  'powernode_virtual_ip_state',
  'powernode_virtual_ip_epoch',
  'powernode_drift_repaired_total',
  'powernode_firewall_rule_packets_total',
  'powernode_firewall_rule_bytes_total',
  'powernode_bgp_refused_peers',
  'powernode_metric_series_left_out',
];
