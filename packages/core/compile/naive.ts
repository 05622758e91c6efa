// The naive compiler: the document of one node, pair by pair and object by object, nothing remembered. It is the
// reference that the fast one is compared with, in tests and in the benchmarks; nothing of the product runs on it.
import type { InstanceId, PeerId } from '../ids.ts';
import { type EntryValue, entryKey } from '../wire/document.ts';
import { bgpEntries } from './bgp-entries.ts';
import { hostAddressesOf, ownEntries, peerClassEntries, peerClassOf, transitHubs } from './entries.ts';
import { advertisedBy, contributionOf, memberOf, tagsNamed } from './items/index.ts';
import type { Lookup } from './items/kind.ts';
import { memberEntries } from './items/members.ts';
import type { Item, NetworkModel, PeerModel } from './model.ts';
import { peerEntries } from './peer-entries.ts';

export interface NaiveNetwork {
  readonly network: NetworkModel;
  readonly peers: readonly PeerModel[];
  readonly items: readonly Item[];
}

/** The document of the instance over all of its networks, by key. */
export function compileNaively(
  networks: readonly NaiveNetwork[],
  instanceId: InstanceId,
): Map<string, EntryValue> {
  const document = new Map<string, EntryValue>();
  for (const network of networks) {
    const self = network.peers.find((peer) => peer.instanceId === instanceId);
    if (self === undefined) continue;
    for (const entry of entriesOf(network, self)) document.set(entryKey(entry), entry);
  }
  return document;
}

function entriesOf({ network, peers, items }: NaiveNetwork, self: PeerModel): EntryValue[] {
  const transit = transitHubs(peers);
  const from = peerClassOf(network, self);
  const carriers = Map.groupBy(items.flatMap(advertisedBy), (one) => one.peerId);
  const advertised = (peerId: PeerId) => (carriers.get(peerId) ?? []).flatMap((one) => one.addresses);
  const peerById = new Map(peers.map((peer) => [peer.id, peer]));
  const itemById = new Map(items.map((item) => [item.id, item]));
  const hubs = peers.filter((peer) => peer.hubSlot !== null);
  const entries = [
    ...ownEntries(network, self, { transit, advertised }),
    ...bgpEntries(network, self),
    ...peerClassEntries(network, from, transit),
  ];
  for (const other of peers) {
    if (other.id !== self.id) entries.push(...peerEntries(network, other, { from, advertised }));
  }
  const lookup: Lookup = {
    network,
    peer: (id) => peerById.get(id),
    item: (id) => itemById.get(id),
    transit,
    hubs: () => hubs,
  };
  for (const item of items) {
    const views = contributionOf(item, lookup);
    entries.push(...views.all, ...(views.peers.get(self.id) ?? []));
  }
  const named = new Set(items.flatMap(tagsNamed));
  for (const peer of peers) {
    const member = { tags: peer.tags, addresses: hostAddressesOf(peer) };
    entries.push(...memberEntries(network, member, (tag) => named.has(tag)));
  }
  for (const item of items) {
    const member = memberOf(item);
    if (member !== null) entries.push(...memberEntries(network, member, (tag) => named.has(tag)));
  }
  return entries;
}
