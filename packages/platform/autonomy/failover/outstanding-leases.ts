// What holders of virtual IPs, and peers that have to give one up, may be acting on: the terms of every document that
// they were given and may not have replaced yet. Known from the changes as they are accepted into memory, and at a start
// from what led from the document that a node last applied to the one that it should have.

import { formatDigest } from '@powernode/core/compile/digest';
import type { VirtualIpModel } from '@powernode/core/compile/model';
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import type { Id, InstanceId, NetworkId, PeerId } from '@powernode/core/ids';
import { probeAddressVia } from '@powernode/core/net/probe-address';
import { sameTerms, type Terms, termsOf } from '@powernode/core/virtual-ips/terms';
import type { VirtualIpEntry } from '@powernode/core/wire/document';
import type { VirtualIpRow } from '../../actions/sdwan/virtual-ips/model.ts';
import type { Held, NodeState } from '../../deliver/nodes/node-state.ts';
import { termsOfStored } from '../../store/virtual-ip-columns.ts';

interface Noted {
  readonly terms: Terms;
  /** A node that has applied a document of this revision, or a newer one, acts on nothing older than these terms. */
  readonly revision: number;
}

/** Of one virtual IP. */
interface PeerTerms {
  readonly networkId: NetworkId;
  readonly byPeer: Map<PeerId, readonly Noted[]>;
}

export interface OutstandingLeasesParts {
  readonly network: (networkId: NetworkId) => NetworkIndex | undefined;
  readonly node: (instanceId: InstanceId) => NodeState | undefined;
  /** The newest document that a machine is known to have applied. */
  readonly applied: (instanceId: InstanceId) => Held | null;
}

export class OutstandingLeases {
  readonly #parts: OutstandingLeasesParts;
  readonly #leases = new Map<Id<'virtual_ip'>, PeerTerms>();

  constructor(parts: OutstandingLeasesParts) {
    this.#parts = parts;
  }

  /** At a start: from the row and from what is known of the holder's node. */
  load(row: VirtualIpRow): void {
    const byPeer = new Map<PeerId, readonly Noted[]>();
    this.#leases.set(row.id, { networkId: row.network_id, byPeer });
    const { transition, releasing_peer_id: releasing, current_holder_peer_id: holder } = row;
    if (releasing !== null) {
      byPeer.set(
        releasing,
        (transition?.terms ?? ['unknown']).map((stored) => ({ terms: termsOfStored(stored), revision: 0 })),
      );
    }
    if (holder !== null) byPeer.set(holder, this.#atStart(row, holder));
  }

  /** To be called after every change that may give the holder other terms, or another holder. */
  note(item: VirtualIpModel): void {
    if (item.anycast || item.holder === null) return;
    const index = this.#parts.network(item.networkId);
    const peer = index?.peer(item.holder);
    if (index === undefined || peer === undefined) return;
    const bound: PeerTerms = this.#leases.get(item.id) ?? { networkId: item.networkId, byPeer: new Map() };
    this.#leases.set(item.id, bound);
    const before = bound.byPeer.get(peer.id) ?? [];
    const terms = termsOf(item, peer, index);
    const newest = before.at(-1);
    if (newest !== undefined && sameTerms(newest.terms, terms)) return;
    const revision = this.#parts.node(peer.instanceId)?.desiredRevision ?? 0;
    bound.byPeer.set(peer.id, [...before, { terms, revision }]);
    // Another process may have given it that document before this one took the change.
    this.applied(item.id, peer.id);
  }

  /** The holder has applied something: forgets what that has replaced. Says whether it can act on less than before. */
  applied(virtualIpId: Id<'virtual_ip'>, holder: PeerId): boolean {
    const bound = this.#leases.get(virtualIpId);
    const noted = bound?.byPeer.get(holder) ?? [];
    const newest = noted.at(-1);
    if (bound === undefined || newest === undefined || noted.length < 2) return false;
    const instanceId = this.#parts.network(bound.networkId)?.peer(holder)?.instanceId;
    const applied = instanceId === undefined ? null : this.#parts.applied(instanceId);
    if (instanceId === undefined || applied === null) return false;
    const node = this.#parts.node(instanceId);
    const isInSync = node !== undefined && isAbreast(node, applied);
    if (!isInSync && applied.revision < newest.revision) return false;
    bound.byPeer.set(holder, [newest]);
    return true;
  }

  termsOf(virtualIpId: Id<'virtual_ip'>, peerId: PeerId): readonly Terms[] {
    const distinct: Terms[] = [];
    for (const { terms } of this.#leases.get(virtualIpId)?.byPeer.get(peerId) ?? []) {
      if (!distinct.some((one) => sameTerms(one, terms))) distinct.push(terms);
    }
    return distinct.length === 0 ? ['unknown'] : distinct;
  }

  /** No peer but these may act on it any more. */
  keep(virtualIpId: Id<'virtual_ip'>, peerIds: readonly (string | null)[]): void {
    const byPeer = this.#leases.get(virtualIpId)?.byPeer;
    for (const peerId of byPeer?.keys() ?? []) if (!peerIds.includes(peerId)) byPeer?.delete(peerId);
  }

  forget(virtualIpId: Id<'virtual_ip'>): void {
    this.#leases.delete(virtualIpId);
  }

  /** Those of a network that are not in it any more, when it was changed as a whole or deleted. */
  forgetDeleted(networkId: NetworkId): void {
    const index = this.#parts.network(networkId);
    for (const [id, bound] of this.#leases) {
      if (bound.networkId === networkId && index?.item(id) === undefined) this.#leases.delete(id);
    }
  }

  #atStart(row: VirtualIpRow, holder: PeerId): Noted[] {
    const index = this.#parts.network(row.network_id);
    const peer = index?.peer(holder);
    const item = index?.item(row.id);
    const node = peer === undefined ? undefined : this.#parts.node(peer.instanceId);
    if (index === undefined || peer === undefined || node === undefined || item?.type !== 'virtual_ip') {
      return [{ terms: 'unknown', revision: 0 }];
    }
    const newest: Noted = { terms: termsOf(item, peer, index), revision: node.desiredRevision };
    if (node.applied !== null && isAbreast(node, node.applied)) return [newest];
    const given = row.transition?.given_sequence ?? null;
    const key = `virtual_ip/${row.id}`;
    const held = BigInt(`0x${node.applied?.hash ?? '0'}`);
    // What it should have is what it applied, and yet it may have been given something else in between.
    const passed =
      held === node.digest
        ? node.history.valuesOf(key)
        : node.history.passed(key, { held, present: node.digest });
    // Untouched on the way, so it is acting on what it has now.
    if (passed?.length === 0) return [newest];
    // It had nothing of this before it was given to it, and everything since then is known.
    const isFirst = given !== null && (node.applied?.revision ?? 0) < given;
    // What is compiled may differ though its revision does not, by another version of the platform: only its hash, or
    // something newer, says that the node has replaced what it had.
    const later = { ...newest, revision: newest.revision + 1 };
    if (passed === null || !isFirst) return [{ terms: 'unknown', revision: 0 }, later];
    const between = passed.flatMap((entry) =>
      entry?.value.kind === 'virtual_ip' ? [{ terms: leaseTerms(entry.value, index), revision: 0 }] : [],
    );
    return [...between, later];
  }
}

/** By the addresses at which witnesses are probed; a deleted one cannot be named any more. */
function leaseTerms({ lease }: VirtualIpEntry, index: NetworkIndex): Terms {
  if (lease === null) return null;
  const byAddress = new Map(
    index.transit.flatMap((hub) =>
      index.transit.map((via) => [probeAddressVia(hub.hostAddress, via.hubSlot), hub.id]),
    ),
  );
  const witnesses = lease.witnesses.map((address) => byAddress.get(address));
  if (witnesses.some((id) => id === undefined)) return 'unknown';
  return { witnesses: witnesses.flatMap((id) => id ?? []), quorum: lease.enough };
}

/**
 * Whether the node has applied what it should have, and has been given nothing else since. A document may be the same as
 * an earlier one, with another between the two that is on its way: so its hash alone does not say it.
 */
export function isAbreast(node: NodeState, applied: Held): boolean {
  return applied.revision >= node.desiredRevision && applied.hash === formatDigest(node.digest);
}
