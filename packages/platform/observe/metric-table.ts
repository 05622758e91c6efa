// The names, meanings and labels of all metrics of the platform. docs/reference/metrics.md is written from this table,
// and what is scraped has these and no others.

export interface MetricKind {
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** How many series it can have, in words. */
  readonly series: string;
}

const table = {
  powernode_http_request_seconds: {
    type: 'histogram',
    help: 'Time to answer a request of the operators surface, by route and status',
    labels: ['route', 'status'],
    series: 'a route and a status that occurred',
  },
  powernode_nodes_connected: {
    type: 'gauge',
    help: 'Instances connected to this process',
    labels: [],
    series: 'one',
  },
  powernode_node_problems: {
    type: 'gauge',
    help: 'Problems that connected instances report now, by code (docs/reference/instance-problems.md)',
    labels: ['code'],
    series: 'a code of the table',
  },
  powernode_event_streams: {
    type: 'gauge',
    help: 'Open live event streams',
    labels: [],
    series: 'one',
  },
  powernode_delivery_total: {
    type: 'counter',
    help: 'Work of delivery by kind: frames, bytes, documents, deltas, acknowledgements, failures',
    labels: ['what'],
    series: 'about twenty',
  },
  powernode_delivery_seconds: {
    type: 'histogram',
    help: 'Time from the commit of a batch of changes until all streams that it reaches were written',
    labels: [],
    series: 'one',
  },
  powernode_instances: {
    type: 'gauge',
    help: 'Instances by connection state; unknown: not connected since the platform started, or never',
    labels: ['account_id', 'state'],
    series: 'an account and a state (online, offline, unknown)',
  },
  powernode_network_peers: {
    type: 'gauge',
    help: 'Peers of a network by whether the overlay reaches them now',
    labels: ['network_id', 'network', 'state'],
    series: 'a network and a state (reachable, unreachable, unknown)',
  },
  powernode_peer_reachable: {
    type: 'gauge',
    help: 'Whether the overlay reaches a peer now: 1 or 0; absent when it is not known',
    labels: ['network_id', 'network', 'peer_id', 'hostname'],
    series: 'a peer, 5,000 at most',
  },
  powernode_peer_last_handshake_timestamp_seconds: {
    type: 'gauge',
    help: 'Time of the last handshake with a peer, in seconds since 1970; absent before the first one',
    labels: ['network_id', 'network', 'peer_id', 'hostname'],
    series: 'a peer, 5,000 at most',
  },
  powernode_hub_sources: {
    type: 'gauge',
    help: 'Peers whose probes a hub receives now, and those that it received once but not now',
    labels: ['network_id', 'network', 'peer_id', 'hostname', 'state'],
    series: 'a hub that spokes keep a tunnel to, and a state (heard, silent)',
  },
  powernode_virtual_ip_state: {
    type: 'gauge',
    help: 'State of a virtual IP: 1 for its current state',
    labels: ['network_id', 'virtual_ip_id', 'name', 'state'],
    series: 'a virtual IP, 5,000 at most',
  },
  powernode_virtual_ip_epoch: {
    type: 'counter',
    help: 'How often the holder of a virtual IP has changed',
    labels: ['network_id', 'virtual_ip_id', 'name'],
    series: 'a virtual IP, 5,000 at most',
  },
  powernode_drift_repaired_total: {
    type: 'counter',
    help: 'Drift repaired on an instance since this process started',
    labels: ['instance_id', 'hostname'],
    series: 'an instance with repaired drift, 5,000 at most',
  },
  powernode_firewall_rule_packets_total: {
    type: 'counter',
    help: 'Packets that a firewall rule matched, on all instances; rules with most packets first',
    labels: ['network_id', 'rule_id', 'name'],
    series: 'a rule that matched packets, 5,000 at most',
  },
  powernode_firewall_rule_bytes_total: {
    type: 'counter',
    help: 'Bytes that a firewall rule matched',
    labels: ['network_id', 'rule_id', 'name'],
    series: 'a rule that matched packets, 5,000 at most',
  },
  powernode_bgp_refused_peers: {
    type: 'gauge',
    help: 'Peers of a network that announce prefixes by BGP which are not behind them, and are refused now',
    labels: ['network_id'],
    series: 'a network with such peers, 5,000 at most',
  },
  powernode_job_runs_total: {
    type: 'counter',
    help: 'Runs of the periodic jobs of this process, by how they ended; jobs of the leader run in one process at a time',
    labels: ['job', 'outcome'],
    series: 'a job and an outcome (succeeded, failed)',
  },
  powernode_job_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When a periodic job last succeeded in this process, in seconds since 1970; absent before the first time',
    labels: ['job'],
    series: 'a job',
  },
  powernode_retention_deleted_rows_total: {
    type: 'counter',
    help: 'Rows that this process has deleted because they are not kept longer (docs/reference/retention.md)',
    labels: ['table'],
    series: 'a table from which rows are deleted',
  },
  powernode_metric_series_left_out: {
    type: 'gauge',
    help: 'Objects without series because their number exceeds the limit',
    labels: ['of'],
    series: 'a kind (peer, virtual_ip, drift, firewall_rule)',
  },
} as const satisfies Readonly<Record<string, MetricKind>>;

export type MetricName = keyof typeof table;
export const metricTable: Readonly<Record<MetricName, MetricKind>> = table;
export const metricNames = Object.keys(table) as readonly MetricName[];
