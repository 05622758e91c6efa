// What the prober is to do, as it follows from the document: whom to probe from where, at which addresses to answer,
// whom to watch, and which addresses are leased.
import { familyOf, withoutLength } from '@powernode/core/net/address';
import { readProbeAddress } from '@powernode/core/net/probe-address';
import type { InterfaceEntry } from '@powernode/core/wire/document';
import type {
  AnsweringConfig,
  LeaseConfig,
  ProberConfig,
  RelayConfig,
  TargetConfig,
  WatchConfig,
} from '../probe/config.ts';
import { cappedMtu, type MtuCaps, noMtuCaps } from '../subsystems/addresses/mtu.ts';
import { type PathIndex, tunnelKey } from './path-index.ts';

export function proberConfigOf(index: PathIndex, mtus: MtuCaps = noMtuCaps): ProberConfig {
  const parts = [...index.interfaces.values()]
    .filter((one) => one.purpose === 'leaf')
    .map((leaf) => networkPart(leaf, index, mtus));
  return {
    targets: parts.flatMap((part) => part.targets),
    answering: parts.flatMap((part) => part.answering),
    relays: parts.flatMap((part) => part.relays),
    watches: parts.flatMap((part) => part.watches),
    leases: leasesOf(index),
    holders: holdersOf(index),
  };
}

/** Whether the prober's configuration depends on entries with these keys. */
export function concernsProber(keys: ReadonlySet<string> | 'all'): boolean {
  if (keys === 'all') return true;
  for (const key of keys)
    if (/^(?:interface|probe|route|watch|virtual_ip|anycast_holder)\//.test(key)) return true;
  return false;
}

function networkPart(
  leaf: InterfaceEntry,
  index: PathIndex,
  mtus: MtuCaps,
): Omit<ProberConfig, 'leases' | 'holders'> {
  const answering = answeringOf(leaf, index);
  const relays = answering.some((one) => one.purpose === 'hub') ? relaysOf(leaf, index) : [];
  return {
    targets: targetsOf(leaf, index, mtus),
    answering,
    relays,
    watches: watchesOf(leaf, { index, answering }),
  };
}

function answeringOf(leaf: InterfaceEntry, index: PathIndex): AnsweringConfig[] {
  return leaf.probe_addresses.flatMap((text): AnsweringConfig[] => {
    const address = withoutLength(text);
    const parsed = readProbeAddress(address);
    if (parsed === null) return [];
    const network = leaf.network_id;
    if (parsed.slot === null) return [{ network, address, purpose: 'direct', relay: null }];
    const relay = `${leaf.name}-${parsed.slot}`;
    return [{ network, address, purpose: 'hub', relay: index.interfaces.has(relay) ? relay : null }];
  });
}

function relaysOf(leaf: InterfaceEntry, index: PathIndex): RelayConfig[] {
  const relays: RelayConfig[] = [];
  for (const one of index.interfaces.values()) {
    if (one.network_id !== leaf.network_id || one.purpose !== 'transit') continue;
    const peer = index.transitPeer(one.name);
    if (peer === undefined) continue;
    const tunnel = tunnelKey({ interface: one.name, publicKey: peer.public_key });
    const addresses: string[] = [];
    for (const route of index.routes.values()) {
      const isOnly = route.via.length === 1 && route.via[0] === one.name;
      if (isOnly && !index.isProbed(route.destination)) addresses.push(withoutLength(route.destination));
    }
    relays.push({ interface: one.name, tunnel, addresses });
  }
  return relays;
}

function targetsOf(leaf: InterfaceEntry, index: PathIndex, mtus: MtuCaps): TargetConfig[] {
  const own = withoutLength(leaf.addresses.find((address) => familyOf(address) === 6) ?? '');
  const direct = leaf.probe_addresses.map(withoutLength).find((one) => readProbeAddress(one)?.slot === null);
  const targets: TargetConfig[] = [];
  const order = hubOrder(leaf, index);
  for (const probe of index.probes) {
    if (probe.network_id !== leaf.network_id) continue;
    const source = probe.purpose === 'direct' ? direct : own;
    const parsed = readProbeAddress(probe.target);
    if (source === undefined || source === '' || parsed === null) continue;
    targets.push({
      network: probe.network_id,
      target: probe.target,
      goal: parsed.goal,
      tunnel: tunnelKey({ interface: probe.interface, publicKey: probe.public_key }),
      purpose: probe.purpose,
      rank: Math.max(0, order.indexOf(probe.interface)),
      source,
      mtu: cappedMtu(index.interfaces.get(probe.interface) ?? leaf, mtus),
    });
  }
  return targets;
}

/** The interfaces to hubs, the preferred first, as the document has them for the network's prefix. */
function hubOrder({ network_id: network }: InterfaceEntry, index: PathIndex): readonly string[] {
  for (const { prefixes } of index.document.inNetwork('firewall', network)) {
    for (const prefix of prefixes) {
      const route = index.routes.get(prefix);
      if (route !== undefined) return route.via;
    }
  }
  return [];
}

function watchesOf(
  leaf: InterfaceEntry,
  at: { readonly index: PathIndex; readonly answering: readonly AnsweringConfig[] },
): WatchConfig[] {
  const watches: WatchConfig[] = [];
  for (const watch of at.index.watches) {
    if (watch.network_id !== leaf.network_id) continue;
    const { peer_id: peerId, address } = watch;
    // Another hub's probes come over the relay to it, everybody else's straight.
    const ofRelay = at.answering.find(
      ({ relay }) => relay !== null && at.index.transitPeer(relay)?.peer_id === peerId,
    );
    const answering = ofRelay ?? at.answering.find((one) => one.purpose === 'hub' && one.relay === null);
    if (answering !== undefined) watches.push({ peerId, address, answeredAt: answering.address });
  }
  return watches;
}

function leasesOf(index: PathIndex): LeaseConfig[] {
  return [...index.virtualIps].flatMap((one): LeaseConfig[] => {
    if (one.lease === null) return [];
    const { witnesses, enough: quorum } = one.lease;
    const addresses = one.addresses.map(withoutLength);
    return [{ virtualIpId: one.virtual_ip_id, epoch: one.epoch, addresses, witnesses, quorum }];
  });
}

/** All but this node itself, each once. */
function holdersOf({ document }: PathIndex): string[] {
  const own = new Set([...document.all('interface').values()].map(({ peer_id: peerId }) => peerId));
  const others = [...document.all('anycast_holder').values()].filter(({ peer_id: id }) => !own.has(id));
  return [...new Set(others.map((entry) => entry.host_address))];
}
