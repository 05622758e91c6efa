// What the compiler reads: a network and its peers, as immutable values. Built by the platform from its rows.

/** The parts of a network that reach a node's document. */
export interface NetworkModel {
  readonly id: string;
  readonly accountId: string;
  readonly handle: string;
  readonly prefix: string;
  readonly mtu: number;
  readonly topologyStrategy: 'hub_and_spoke' | 'full_mesh';
}

/** The parts of a peer that reach a node's document, its own or another's. */
export interface PeerModel {
  readonly id: string;
  readonly networkId: string;
  readonly instanceId: string;
  readonly hostAddress: string;
  readonly publicKey: string;
  /** A hub's number, which stays with it (lowest free from 1). null: a spoke. */
  readonly hubSlot: number | null;
  /** Where others could meet it (address:port); null when it is behind a NAT or was never seen. */
  readonly endpoint: string | null;
  readonly listenPort: number;
}
