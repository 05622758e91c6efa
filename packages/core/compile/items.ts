// What nodes have because of the other objects of a network: rules, virtual addresses, doors, devices, and the groups
// that rules name. Pure functions of one object and of what it refers to; who recomputes them when is network-index.ts.
import { familyOf, withLength } from '../net/address.ts';
import { probeAddressVia } from '../net/probe-address.ts';
import type { EntryValue } from '../wire/document.ts';
import {
  hostAddressesOf,
  isTransit,
  leafInterfaceName,
  leafKey,
  standingOf,
  type TransitHub,
  transitInterfaceName,
} from './entries.ts';
import type {
  Item,
  NetworkModel,
  PeerModel,
  PortMappingModel,
  RuleModel,
  UserDeviceModel,
  VirtualIpModel,
} from './model.ts';
import { ruleViews } from './rule-entries.ts';

/** What an item may look up. Each look is noted by the index, so that it knows what the item depends on. */
export interface Lookup {
  readonly network: NetworkModel;
  peer(id: string): PeerModel | undefined;
  item(id: string): Item | undefined;
  readonly transit: readonly TransitHub[];
  /** All hubs of the network; in a full mesh that may be everyone. */
  hubs(): readonly PeerModel[];
}

export interface ItemViews {
  /** What every node of the network has. */
  readonly everyone: readonly EntryValue[];
  /** What single peers have, by peer. */
  readonly peers: ReadonlyMap<string, readonly EntryValue[]>;
}

const nobody: ItemViews = { everyone: [], peers: new Map() };

export function viewsOf(item: Item, lookup: Lookup): ItemViews {
  switch (item.type) {
    case 'firewall_rule':
      return ruleViews(item, lookup);
    case 'virtual_ip':
      return virtualIpViews(item, lookup);
    case 'port_mapping':
      return portMappingViews(item, lookup);
    case 'user_device':
      return deviceViews(item, lookup);
  }
}

/** Addresses (with their length) that lead to a peer because of the item. */
export function carriedBy(
  item: Item,
): readonly { readonly peerId: string; readonly addresses: readonly string[] }[] {
  if (item.type === 'user_device') {
    return [{ peerId: item.hubPeerId, addresses: item.addresses.map(withLength) }];
  }
  if (item.type !== 'virtual_ip' || item.anycast || item.holder === null) return [];
  return [{ peerId: item.holder, addresses: item.addresses.map(withLength) }];
}

/** The tags that the rule names, while it is in force. */
export function tagsNamed(rule: RuleModel): string[] {
  if (!rule.enabled) return [];
  return [rule.selector, rule.destination].flatMap((side) => (side.kind === 'tag' ? [side.tag] : []));
}

/** What every node has because a peer or a device is in groups that rules name. */
export function memberEntries(
  network: NetworkModel,
  member: { readonly tags: readonly string[]; readonly addresses: readonly string[] },
  isNamed: (tag: string) => boolean,
): EntryValue[] {
  return member.tags.filter(isNamed).map((tag) => ({
    kind: 'member',
    network_id: network.id,
    group: tag,
    addresses: [...member.addresses],
  }));
}

function virtualIpViews(item: VirtualIpModel, lookup: Lookup): ItemViews {
  const peers = new Map<string, EntryValue[]>();
  const give = (peerId: string, entry: EntryValue) => {
    const list = peers.get(peerId) ?? [];
    peers.set(peerId, [...list, entry]);
  };
  const held = (peer: PeerModel): EntryValue => ({
    kind: 'virtual_ip',
    network_id: item.networkId,
    virtual_ip_id: item.id,
    interface: leafInterfaceName(lookup.network),
    addresses: item.addresses.map(withLength),
    epoch: item.epoch,
    lease: leaseOf(item, peer, lookup),
  });
  const candidates = item.candidates.flatMap((id) => lookup.peer(id) ?? []);
  if (item.anycast) {
    for (const peer of candidates) give(peer.id, held(peer));
    const entry = anycastOf(item, candidates, lookup.network);
    if (entry === null) return nobody;
    if (candidates.some((peer) => isMetBySpokes(lookup.network, peer))) return { everyone: [entry], peers };
    for (const hub of lookup.hubs()) give(hub.id, entry);
    return { everyone: [], peers };
  }
  const holder = item.holder === null ? undefined : lookup.peer(item.holder);
  if (holder !== undefined) give(holder.id, held(holder));
  if (item.candidates.length > 1) {
    for (const peer of candidates) {
      for (const hub of witnessesOf(peer, lookup)) give(hub.id, watchOf(item, peer));
    }
  }
  return { everyone: [], peers };
}

function watchOf(item: VirtualIpModel, peer: PeerModel): EntryValue {
  return {
    kind: 'watch',
    network_id: item.networkId,
    virtual_ip_id: item.id,
    peer_id: peer.id,
    address: peer.hostAddress,
  };
}

/**
 * Who has to hear the holder: the transit hubs, and the platform beside them. `enough` of n keep the address, and
 * n − enough + 1 that do not hear it take it away: any two such groups have a member in common.
 */
export function leaseOf(
  item: VirtualIpModel,
  holder: PeerModel,
  lookup: Pick<Lookup, 'transit'>,
): { witnesses: string[]; enough: number } | null {
  if (item.anycast || item.candidates.length < 2) return null;
  const witnesses = witnessesOf(holder, lookup).map((hub) =>
    probeAddressVia(hub.hostAddress, probedBy(hub, holder)),
  );
  if (witnesses.length === 0) return null;
  return { witnesses, enough: Math.ceil((witnesses.length + 1) / 2) };
}

/** The hubs that hear a peer's probes. */
export function witnessesOf(peer: PeerModel, lookup: Pick<Lookup, 'transit'>): TransitHub[] {
  if (peer.hubSlot !== null && !isTransit(peer)) return [];
  return lookup.transit.filter((hub) => hub.id !== peer.id);
}

/** A hub's probes of another one are by way of itself. */
function probedBy(hub: { readonly hubSlot: number }, peer: PeerModel): number {
  return isTransit(peer) ? peer.hubSlot : hub.hubSlot;
}

/**
 * The same for every node: each picks the tunnels that it has. Spokes need it too where they meet who answers without a
 * hub, because what that one answers comes straight, and WireGuard drops it where AllowedIPs do not cover its source.
 */
function anycastOf(
  item: VirtualIpModel,
  candidates: readonly PeerModel[],
  network: NetworkModel,
): EntryValue | null {
  const leaf = leafInterfaceName(network);
  const by = candidates.flatMap((peer) => {
    const keys = new Set([peer.publicKey, leafKey(network, peer)]);
    const met = Array.from(keys, (publicKey) => ({ interface: leaf, public_key: publicKey }));
    if (!isTransit(peer)) return met;
    return [{ interface: transitInterfaceName(network, peer.hubSlot), public_key: peer.publicKey }, ...met];
  });
  if (by.length === 0) return null;
  const destinations = item.addresses.map(withLength);
  return { kind: 'anycast', network_id: item.networkId, virtual_ip_id: item.id, destinations, by };
}

/** Whether some spoke may have a tunnel to it that is not by a hub. */
function isMetBySpokes(network: NetworkModel, peer: PeerModel): boolean {
  return network.topologyStrategy === 'full_mesh' || standingOf(network, peer) === 'punch';
}

function portMappingViews(item: PortMappingModel, lookup: Lookup): ItemViews {
  const hub = lookup.peer(item.hubPeerId);
  if (hub === undefined || hub.hubSlot === null) return nobody;
  const family = familyOf(item.externalAddress);
  const ofFamily = (addresses: readonly string[]) => addresses.find((one) => familyOf(one) === family);
  const target = ofFamily(targetAddresses(item, lookup));
  const source = ofFamily(hostAddressesOf(hub));
  if (target === undefined || source === undefined) return nobody;
  const entry: EntryValue = {
    kind: 'port_mapping',
    network_id: item.networkId,
    port_mapping_id: item.id,
    external_address: item.externalAddress,
    external_port: item.externalPort,
    protocol: item.protocol,
    target_address: target,
    target_port: item.targetPort,
    source_cidrs: [...item.sourceCidrs],
    rate_limit: item.rateLimit,
    max_connections: item.maxConnections,
    source_address: source,
  };
  return { everyone: [], peers: new Map([[hub.id, [entry]]]) };
}

function targetAddresses(item: PortMappingModel, lookup: Lookup): readonly string[] {
  if (item.target.kind === 'peer') {
    const peer = lookup.peer(item.target.id);
    return peer === undefined ? [] : hostAddressesOf(peer);
  }
  const virtualIp = lookup.item(item.target.id);
  return virtualIp?.type === 'virtual_ip' ? virtualIp.addresses : [];
}

function deviceViews(item: UserDeviceModel, lookup: Lookup): ItemViews {
  const hub = lookup.peer(item.hubPeerId);
  if (hub === undefined || hub.hubSlot === null) return nobody;
  const entries: EntryValue[] = [
    {
      kind: 'peer',
      interface: leafInterfaceName(lookup.network),
      peer_id: item.id,
      public_key: item.publicKey,
      endpoint: null,
      allowed_ips: item.addresses.map(withLength),
      keepalive: 0,
    },
    {
      kind: 'device',
      network_id: item.networkId,
      user_device_id: item.id,
      addresses: [...item.addresses],
    },
  ];
  return { everyone: [], peers: new Map([[hub.id, entries]]) };
}
