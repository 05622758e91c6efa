// What the compiler reads: a network, its peers and its other objects (items), as immutable values. Built by the
// platform from its rows.

import type { AccountId, Id, InstanceId, NetworkId, PeerId, PublicKey } from '../ids.ts';
import type { PolicyStatement } from '../intent/route-policy.ts';
import type { HealthCheck } from '../intent/virtual-ip.ts';

/** The parts of a network that reach a node's document. */
export interface NetworkModel {
  readonly id: NetworkId;
  readonly accountId: AccountId;
  readonly handle: string;
  readonly prefix: string;
  /** null: the network has no IPv4 prefix. */
  readonly ipv4Prefix: string | null;
  readonly mtu: number;
  readonly topologyStrategy: 'hub_and_spoke' | 'full_mesh';
  readonly firewallDefaultPolicy: 'accept' | 'drop';
  /** Connections that the rules no longer allow are ended when rules change. */
  readonly rematchConnections: boolean;
  /** Its peers speak BGP with this AS number. Absent: its routes are static. */
  readonly asNumber?: number;
  /** What the pods of its peers have slices of. Absent: it has none. */
  readonly podPrefix?: string;
}

/** The parts of a peer that reach a node's document, its own or another's. */
export interface PeerModel {
  readonly id: PeerId;
  readonly networkId: NetworkId;
  readonly instanceId: InstanceId;
  readonly hostAddress: string;
  /** null: the network has no IPv4 prefix. */
  readonly ipv4Address: string | null;
  readonly publicKey: PublicKey;
  /** The key of a spoke's leaf interface, on which it meets other spokes without a hub; null: it has none. */
  readonly directKey: PublicKey | null;
  /** Where hubs see that interface, when others may call it there; null: behind a symmetric NAT, or not seen. */
  readonly directEndpoint: string | null;
  /** A hub's number, which stays with it (lowest free from 1). null: a spoke. */
  readonly hubSlot: number | null;
  /** Where others could meet it (address:port); null when it is behind a NAT or was never seen. */
  readonly endpoint: string | null;
  /** Where they try next, in this order: of another family, or of another provider. Absent: nowhere. */
  readonly fallbackEndpoints?: readonly string[];
  readonly listenPort: number;
  /** Sorted. */
  readonly tags: readonly string[];
  /** A hub that is to be used by nobody who can help it. */
  readonly draining: boolean;
  /** Its machine has no FRR that can be used, so that it announces nothing. Absent: it has. */
  readonly routingDaemonMissing?: boolean;
}

/** Whom a rule names. An object that is gone names nobody. */
export type Selector =
  | { readonly kind: 'peer' | 'user_device' | 'virtual_ip' | 'federation_peer'; readonly id: string }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'cidr'; readonly cidr: string }
  | { readonly kind: 'all' };

export interface RuleModel {
  readonly type: 'firewall_rule';
  readonly id: Id<'firewall_rule'>;
  readonly networkId: NetworkId;
  readonly direction: 'ingress' | 'egress' | 'both';
  readonly action: 'accept' | 'drop' | 'reject';
  readonly selector: Selector;
  readonly destination: Selector;
  readonly protocol: 'any' | 'tcp' | 'udp' | 'icmp6';
  readonly ports: readonly [first: number, last: number] | null;
  /** A rule that is not enabled reaches nobody. */
  readonly enabled: boolean;
}

export interface VirtualIpModel {
  readonly type: 'virtual_ip';
  readonly id: Id<'virtual_ip'>;
  readonly networkId: NetworkId;
  /** Without length; the first one is IPv6. */
  readonly addresses: readonly string[];
  readonly anycast: boolean;
  /** Peers that may hold it, the primary first. */
  readonly candidates: readonly PeerId[];
  /** Who holds it now. Of an anycast address: nobody is singled out. */
  readonly holder: PeerId | null;
  /** Rises with every change of the holder. */
  readonly epoch: number;
  /** What each holder asks the service at the address. Absent: nothing. */
  readonly healthCheck?: HealthCheck;
}

export interface PortMappingModel {
  readonly type: 'port_mapping';
  readonly id: Id<'port_mapping'>;
  readonly networkId: NetworkId;
  readonly hubPeerId: PeerId;
  readonly externalAddress: string;
  readonly externalPort: number;
  readonly protocol: 'tcp' | 'udp';
  readonly target: { readonly kind: 'peer' | 'virtual_ip'; readonly id: string };
  readonly targetPort: number;
  readonly sourceCidrs: readonly string[];
  readonly rateLimit: number | null;
  readonly maxConnections: number | null;
}

export interface UserDeviceModel {
  readonly type: 'user_device';
  readonly id: Id<'user_device'>;
  readonly networkId: NetworkId;
  readonly publicKey: PublicKey;
  /** Without length; the first one is IPv6. */
  readonly addresses: readonly string[];
  /** The hub that it calls. */
  readonly hubPeerId: PeerId;
  /** Sorted. */
  readonly tags: readonly string[];
}

/** A prefix behind a peer, such as its LAN. */
export interface SubnetModel {
  readonly type: 'subnet_advertisement';
  readonly id: Id<'subnet_advertisement'>;
  readonly networkId: NetworkId;
  readonly peerId: PeerId;
  /** As the overlay knows it. */
  readonly prefix: string;
  /** As its hosts know it. */
  readonly localPrefix: string;
  readonly preference: number;
  readonly sourceNat: boolean;
}

/** Which paths peers import and export, and what they change in them. */
export interface RoutePolicyModel {
  readonly type: 'route_policy';
  readonly id: Id<'route_policy'>;
  readonly networkId: NetworkId;
  readonly direction: 'import' | 'export';
  readonly statements: readonly PolicyStatement[];
}

/** A session of BGP that is to be cleared at one of its ends. */
export interface SessionResetModel {
  readonly type: 'session_reset';
  /** That of the session. */
  readonly id: Id<'session_reset'>;
  readonly networkId: NetworkId;
  /** Whose node clears it. */
  readonly peerId: PeerId;
  readonly neighborId: PeerId;
  /** Another one each time. */
  readonly resetId: string;
}

/** An object of a network beside its peers. */
export type Item =
  | RuleModel
  | VirtualIpModel
  | PortMappingModel
  | UserDeviceModel
  | SubnetModel
  | RoutePolicyModel
  | SessionResetModel;
export type ItemId = Item['id'];
/** Whatever may be in a group that rules name. */
export type MemberId = PeerId | ItemId;
