// Resets of sessions: the node at the one end of a session that speaks BGP clears it.
import type { EntryValue } from '../../wire/document.ts';
import type { BgpResetEntry } from '../../wire/routing-entries.ts';
import { haveSession } from '../bgp-entries.ts';
import { unaffected } from '../entry-kind.ts';
import type { SessionResetModel } from '../model.ts';
import { staysAsChanged } from '../take-back.ts';
import { type ItemContribution, type ItemKind, type Lookup, noContribution } from './kind.ts';

export const sessionReset = {
  contribution: resetContribution,
  entryKinds: { bgp_reset: { ...unaffected, describe, rollBack: staysAsChanged } },
} satisfies ItemKind<SessionResetModel>;

function resetContribution(item: SessionResetModel, lookup: Lookup): ItemContribution {
  const { network } = lookup;
  const [peer, neighbor] = [lookup.peer(item.peerId), lookup.peer(item.neighborId)];
  if (network.asNumber === undefined || peer === undefined || neighbor === undefined) return noContribution;
  if (!haveSession(network, peer, neighbor)) return noContribution;
  const entry: EntryValue = {
    kind: 'bgp_reset',
    key: `bgp_reset/${item.id}`,
    network_id: item.networkId,
    peer_id: neighbor.id,
    host_address: neighbor.hostAddress,
    reset_id: item.resetId,
  };
  return { all: [], peers: new Map([[peer.id, [entry]]]) };
}

function describe({ host_address: address }: BgpResetEntry): string {
  return `clear the BGP session with ${address} once`;
}
