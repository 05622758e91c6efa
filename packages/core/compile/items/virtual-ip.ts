// Virtual IPs: who answers for them, who hears the holder, and where packets for anycast ones go.
import type { PeerId } from '../../ids.ts';
import { withLength } from '../../net/address.ts';
import { probeAddressVia } from '../../net/probe-address.ts';
import type { AnycastHolderEntry, HealthCheckEntry } from '../../wire/anycast-entries.ts';
import type { AnycastEntry, EntryValue, VirtualIpEntry, WatchEntry } from '../../wire/document.ts';
import { isTransit, leafInterfaceName, peerClassOf, type TransitHub } from '../entries.ts';
import { onOwnInterface, onTunnels, unaffected, withIpv6Of } from '../entry-kind.ts';
import type { Item, NetworkModel, PeerModel, VirtualIpModel } from '../model.ts';
import { mergedField, staysAsChanged, withoutIntroduced } from '../take-back.ts';
import {
  type Advertisement,
  type ItemContribution,
  type ItemKind,
  type Lookup,
  type MissingTarget,
  noContribution,
} from './kind.ts';
import { staticIn, tunnelsTo } from './subnet.ts';

export const virtualIp = {
  contribution: virtualIpContribution,
  advertised: advertisedBy,
  missingTarget,
  side: {
    noun: 'a virtual IP',
    whyUnmatched: (item, lookup) => (canBeHeld(item, lookup) ? null : 'which no peer can hold'),
  },
  entryKinds: {
    virtual_ip: {
      describe: describeVirtualIp,
      rollBack: {
        added: (key, is, { blocks }) =>
          withoutIntroduced(key, { field: 'addresses', list: is.addresses, of: is }, blocks),
        changed: (key, { was, is }, blocks) =>
          mergedField(key, { field: 'addresses', was: was.addresses, is: is.addresses }, blocks.of(is)),
      },
      withoutIpv4: (entry) => withIpv6Of(entry, 'addresses'),
      on: onOwnInterface,
    },
    watch: { ...unaffected, describe: describeWatch, rollBack: staysAsChanged },
    anycast: {
      describe: describeAnycast,
      rollBack: {
        added: (key, is, { blocks }) =>
          withoutIntroduced(key, { field: 'destinations', list: is.destinations, of: is }, blocks),
        changed: (key, { was, is }, blocks) =>
          mergedField(
            key,
            { field: 'destinations', was: was.destinations, is: is.destinations },
            blocks.of(is),
          ),
      },
      withoutIpv4: (entry) => withIpv6Of(entry, 'destinations'),
      on: onTunnels,
    },
    anycast_holder: {
      describe: describeHolder,
      rollBack: staysAsChanged,
      withoutIpv4: (entry) => withIpv6Of(entry, 'destinations'),
      on: onTunnels,
    },
    health_check: { ...unaffected, describe: describeHealthCheck, rollBack: staysAsChanged },
  },
} satisfies ItemKind<VirtualIpModel>;

function advertisedBy(item: VirtualIpModel): readonly Advertisement[] {
  if (item.anycast || item.holder === null) return [];
  return [{ peerId: item.holder, addresses: item.addresses.map(withLength) }];
}

function missingTarget(item: VirtualIpModel, lookup: Pick<Lookup, 'peer'>): MissingTarget | null {
  if (canBeHeld(item, lookup)) return null;
  const why = 'All of its candidates have left the network. Give it another holder, or delete it.';
  return { type: item.type, why };
}

/** Whether one of its candidates is in the network; false for an item of any other kind. */
export function canBeHeld(item: Item | undefined, lookup: Pick<Lookup, 'peer'>): boolean {
  if (item?.type !== 'virtual_ip') return false;
  return item.candidates.some((id) => lookup.peer(id) !== undefined);
}

function virtualIpContribution(item: VirtualIpModel, lookup: Lookup): ItemContribution {
  const peers = new Map<PeerId, EntryValue[]>();
  const give = (peerId: PeerId, entry: EntryValue) => {
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
    const entry = anycastOf(item, candidates, lookup.network);
    if (entry === null) return noContribution;
    const check = healthCheckOf(item);
    for (const peer of candidates) {
      give(peer.id, held(peer));
      if (check !== null) give(peer.id, check);
    }
    const holders = candidates.map((peer) => holderOf(item, peer, lookup.network));
    if (candidates.some((peer) => isMetBySpokes(lookup.network, peer)))
      return { all: [entry, ...holders], peers };
    const hubs = lookup.hubs();
    for (const hub of hubs) for (const one of [entry, ...holders]) give(hub.id, one);
    // What it announces itself.
    for (const [i, peer] of candidates.entries()) {
      const [own] = holders.slice(i, i + 1);
      if (own !== undefined && !hubs.some(({ id }) => id === peer.id)) give(peer.id, own);
    }
    return { all: [], peers };
  }
  const holder = item.holder === null ? undefined : lookup.peer(item.holder);
  const check = healthCheckOf(item);
  if (holder !== undefined) {
    give(holder.id, held(holder));
    // Nobody else has the address, so nobody else can ask the service at it.
    if (check !== null) give(holder.id, check);
  }
  if (item.candidates.length > 1) {
    for (const peer of candidates) {
      for (const hub of witnessesOf(peer, lookup)) give(hub.id, watchOf(item, peer));
    }
  }
  return { all: [], peers };
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
  const by = candidates.flatMap((peer) => tunnelsTo(network, peer));
  if (by.length === 0) return null;
  const destinations = item.addresses.map(withLength);
  return { kind: 'anycast', network_id: item.networkId, virtual_ip_id: item.id, destinations, by };
}

function holderOf(item: VirtualIpModel, peer: PeerModel, network: NetworkModel): EntryValue {
  return {
    kind: 'anycast_holder',
    key: `anycast_holder/${item.id}/${peer.id}`,
    network_id: item.networkId,
    virtual_ip_id: item.id,
    peer_id: peer.id,
    host_address: peer.hostAddress,
    destinations: item.addresses.map(withLength),
    by: tunnelsTo(network, peer),
    ...staticIn(network, peer),
  };
}

function healthCheckOf({ id, networkId, addresses, healthCheck }: VirtualIpModel): EntryValue | null {
  const [address] = addresses;
  if (healthCheck === undefined || address === undefined) return null;
  return {
    kind: 'health_check',
    key: `health_check/${id}`,
    network_id: networkId,
    virtual_ip_id: id,
    address,
    ...healthCheck,
  };
}

/** Whether spokes may have a tunnel to it: it is a hub of theirs, or met without one. */
function isMetBySpokes(network: NetworkModel, peer: PeerModel): boolean {
  if (network.topologyStrategy === 'full_mesh' || isTransit(peer)) return true;
  return peerClassOf(network, peer) === 'hole_punchable';
}

function describeVirtualIp(entry: VirtualIpEntry): string {
  const lease =
    entry.lease === null
      ? 'exclusively'
      : `as long as ${entry.lease.enough} of ${entry.lease.witnesses.length + 1} witnesses hear this instance`;
  return `answer for ${entry.addresses.join(' and ')} on ${entry.interface}, ${lease}`;
}

function describeWatch({ address }: WatchEntry): string {
  return `watch whether the peer at ${address} is up, for a virtual IP that it holds or may hold`;
}

function describeAnycast({ destinations, by }: AnycastEntry): string {
  const tunnels = counted(by.length, 'tunnel');
  return `route packets for ${destinations.join(' and ')} to the nearest holder that is up, by one of ${tunnels}`;
}

function describeHolder({ host_address: holder, destinations }: AnycastHolderEntry): string {
  return `${holder} holds ${destinations.join(' and ')}`;
}

function describeHealthCheck({
  address,
  protocol,
  port,
  path = '',
  interval_ms: interval,
}: HealthCheckEntry): string {
  return `ask the service at ${address}, ${protocol} port ${port}${path === '' ? '' : ` ${path}`}, every ${interval} ms`;
}

function counted(count: number, noun: string): string {
  return count === 1 ? `one ${noun}` : `${count} ${noun}s`;
}
