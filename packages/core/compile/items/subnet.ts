// Prefixes behind peers, such as LANs: every node has a route to them, and the peer in front of one forwards.
import type { EntryValue } from '../../wire/document.ts';
import type { LanEntry, SubnetEntry } from '../../wire/routing-entries.ts';
import { isTransit, leafInterfaceName, leafKey, transitInterfaceName } from '../entries.ts';
import { unaffected } from '../entry-kind.ts';
import type { NetworkModel, PeerModel, SubnetModel } from '../model.ts';
import { addedIsNotApplied } from '../take-back.ts';
import { type ItemContribution, type ItemKind, type Lookup, noContribution } from './kind.ts';

export const subnet = {
  contribution: subnetContribution,
  entryKinds: {
    subnet: { ...unaffected, describe: describeSubnet, rollBack: addedIsNotApplied },
    lan: { ...unaffected, describe: describeLan, rollBack: addedIsNotApplied },
  },
} satisfies ItemKind<SubnetModel>;

function subnetContribution(item: SubnetModel, lookup: Lookup): ItemContribution {
  const peer = lookup.peer(item.peerId);
  if (peer === undefined) return noContribution;
  const { network } = lookup;
  const route: EntryValue = {
    kind: 'subnet',
    key: `subnet/${item.id}`,
    network_id: item.networkId,
    subnet_id: item.id,
    prefix: item.prefix,
    peer_id: peer.id,
    next_hop: peer.hostAddress,
    preference: item.preference,
    by: tunnelsTo(network, peer),
    ...staticIn(network, peer),
  };
  const forwarded: EntryValue = {
    kind: 'lan',
    key: `lan/${item.id}`,
    network_id: item.networkId,
    subnet_id: item.id,
    handle: network.handle,
    prefix: item.prefix,
    local_prefix: item.localPrefix,
    source_nat: item.sourceNat,
  };
  return { all: [route], peers: new Map([[peer.id, [forwarded]]]) };
}

/** Where all others speak BGP, a peer that cannot is met by static routes. */
export function staticIn(network: NetworkModel, peer: PeerModel): Pick<SubnetEntry, 'is_static'> {
  return network.asNumber !== undefined && peer.routingDaemonMissing === true ? { is_static: true } : {};
}

/**
 * The same for every node: each picks the tunnel that it has. Spokes need it too where they meet the peer without a hub,
 * because what its LAN sends comes straight, and WireGuard drops it where AllowedIPs do not cover its source.
 */
export function tunnelsTo(network: NetworkModel, peer: PeerModel): SubnetEntry['by'] {
  const leaf = leafInterfaceName(network);
  const keys = new Set([peer.publicKey, leafKey(network, peer)]);
  const met = Array.from(keys, (publicKey) => ({ interface: leaf, public_key: publicKey }));
  if (!isTransit(peer)) return met;
  return [{ interface: transitInterfaceName(network, peer.hubSlot), public_key: peer.publicKey }, ...met];
}

function describeSubnet(entry: SubnetEntry): string {
  const { prefix, next_hop: nextHop, preference, is_static: isStatic } = entry;
  const kind = isStatic === true ? 'static route' : 'route';
  return `${kind} to ${prefix} behind ${nextHop}, preference ${preference}`;
}

function describeLan(entry: LanEntry): string {
  const { prefix, local_prefix: local, source_nat: sourceNat } = entry;
  const mapped = local === prefix ? '' : `, which is ${local} there`;
  const translated = sourceNat ? ', with the address of this instance' : '';
  return `forward between the network and ${prefix}${mapped}${translated}`;
}
