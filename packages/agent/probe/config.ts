// The configuration of the prober: data that follows from the document and passes between threads. Made in
// plan/prober-config.ts.

/** A path to probe. */
export interface TargetConfig {
  readonly network: string;
  /** An address that nothing but one tunnel leads to. */
  readonly target: string;
  /** The same for all targets that are one node's, by whichever way. */
  readonly goal: string;
  /** The key of the entry of the peer that the tunnel leads to. */
  readonly tunnel: string;
  readonly purpose: 'path' | 'forwarding' | 'direct';
  /** Of a path: which of the hubs is preferred, the first one 0. */
  readonly rank: number;
  /** The address of this node that the probes are sent from. */
  readonly source: string;
  /** Of the interface of the tunnel, as it is now. */
  readonly mtu: number;
}

/** An address at which probes are answered. */
export interface AnsweringConfig {
  readonly network: string;
  readonly address: string;
  /** direct: spokes meet at it, and it is what this spoke probes others from. hub: a hub hears by it who is there. */
  readonly purpose: 'hub' | 'direct';
  /** The relay by way of which probes to it come; null: they come straight from who sends them. */
  readonly relay: string | null;
}

/** On hubs: an interface to another hub. */
export interface RelayConfig {
  readonly interface: string;
  /** The key of the entry of its peer. */
  readonly tunnel: string;
  /** What that hub itself sends from. */
  readonly addresses: readonly string[];
}

export interface WatchConfig {
  readonly peerId: string;
  /** What its probes are sent from, and the address of this node that they are sent to. */
  readonly address: string;
  readonly answeredAt: string;
}

export interface LeaseConfig {
  readonly virtualIpId: string;
  readonly epoch: number;
  /** Without length. */
  readonly addresses: readonly string[];
  /** Targets whose answers the lease rests on. */
  readonly witnesses: readonly string[];
  readonly quorum: number;
}

export interface ProberConfig {
  readonly targets: readonly TargetConfig[];
  readonly answering: readonly AnsweringConfig[];
  readonly relays: readonly RelayConfig[];
  readonly watches: readonly WatchConfig[];
  readonly leases: readonly LeaseConfig[];
  /** Peers that hold anycast addresses, by their overlay addresses: their distance and health are news. */
  readonly holders: readonly string[];
}

export const nothingToProbe: ProberConfig = {
  targets: [],
  answering: [],
  relays: [],
  watches: [],
  leases: [],
  holders: [],
};
