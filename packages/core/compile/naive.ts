// The naive compiler: the document of one node, pair by pair, nothing remembered. It is the reference that the
// fast one is compared with, in tests and in the benchmarks; nothing of the product runs on it.
import { type EntryValue, entryKey } from '../wire/document.ts';
import { entriesBecauseOf, ownEntries, standingOf, transitEntries, transitHubs } from './entries.ts';
import type { NetworkModel, PeerModel } from './model.ts';

export interface NaiveNetwork {
  readonly network: NetworkModel;
  readonly peers: readonly PeerModel[];
}

/** The document of the instance over all of its networks, by key. */
export function compileNaively(
  networks: readonly NaiveNetwork[],
  instanceId: string,
): Map<string, EntryValue> {
  const document = new Map<string, EntryValue>();
  for (const { network, peers } of networks) {
    const self = peers.find((peer) => peer.instanceId === instanceId);
    if (self === undefined) continue;
    const transit = transitHubs(peers);
    const from = standingOf(network, self);
    const entries = [...ownEntries(network, self), ...transitEntries(network, self, transit)];
    for (const other of peers) {
      if (other.id === self.id) continue;
      const asTransit = transit.some((hub) => hub.id === other.id);
      entries.push(...entriesBecauseOf(network, other, { from, asTransit }));
    }
    for (const entry of entries) document.set(entryKey(entry), entry);
  }
  return document;
}
