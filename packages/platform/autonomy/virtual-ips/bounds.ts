// What holders of virtual IPs, and those who have to give one up, may be acting on: the terms of every document that
// they were given and may not have replaced yet. Known from the changes as they are taken into memory, and at a start
// from what led from a node's last word to what it should have.
import { formatDigest } from '@powernode/core/compile/digest';
import type { VirtualIpModel } from '@powernode/core/compile/model';
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import { probeAddressVia } from '@powernode/core/net/probe-address';
import { sameTerms, type Terms, termsOf } from '@powernode/core/virtual-ips/terms';
import type { VirtualIpEntry } from '@powernode/core/wire/document';
import type { VirtualIpRow } from '../../deliver/item-models.ts';
import type { NodeState } from '../../deliver/nodes/node-state.ts';

interface Noted {
  readonly terms: Terms;
  /** The revision of the node's document that brought them; one that applied it acts on nothing older. */
  readonly revision: number;
}

export interface BoundsParts {
  readonly network: (networkId: string) => NetworkIndex | undefined;
  readonly node: (instanceId: string) => NodeState | undefined;
}

export class Bounds {
  readonly #parts: BoundsParts;
  /** By virtual IP and peer. */
  readonly #noted = new Map<string, Map<string, readonly Noted[]>>();

  constructor(parts: BoundsParts) {
    this.#parts = parts;
  }

  /** At a start: from the row and from what is known of the holder's node. */
  load(row: VirtualIpRow): void {
    const of = new Map<string, readonly Noted[]>();
    this.#noted.set(row.id, of);
    const { transition, releasing_peer_id: releasing, current_holder_peer_id: holder } = row;
    if (releasing !== null) {
      of.set(
        releasing,
        (transition?.terms ?? ['unknown']).map((terms) => ({ terms, revision: 0 })),
      );
    }
    if (holder !== null) of.set(holder, this.#atStart(row, holder));
  }

  /** To be called after every change that may give the holder other terms, or another holder. */
  note(item: VirtualIpModel): void {
    if (item.anycast || item.holder === null) return;
    const index = this.#parts.network(item.networkId);
    const peer = index?.peer(item.holder);
    if (index === undefined || peer === undefined) return;
    const of = this.#noted.get(item.id) ?? new Map<string, readonly Noted[]>();
    this.#noted.set(item.id, of);
    const before = of.get(peer.id) ?? [];
    const terms = termsOf(item, peer, index);
    const newest = before.at(-1);
    if (newest !== undefined && sameTerms(newest.terms, terms)) return;
    const revision = this.#parts.node(peer.instanceId)?.desiredRevision ?? 0;
    of.set(peer.id, [...before, { terms, revision }]);
  }

  /** A node has applied that revision. Says whether it can act on less than before. */
  applied(virtualIpId: string, peerId: string, revision: number): boolean {
    const of = this.#noted.get(virtualIpId);
    const noted = of?.get(peerId) ?? [];
    const newest = noted.at(-1);
    if (of === undefined || newest === undefined || noted.length < 2 || revision < newest.revision)
      return false;
    of.set(peerId, [newest]);
    return true;
  }

  termsOf(virtualIpId: string, peerId: string): readonly Terms[] {
    const distinct: Terms[] = [];
    for (const { terms } of this.#noted.get(virtualIpId)?.get(peerId) ?? []) {
      if (!distinct.some((one) => sameTerms(one, terms))) distinct.push(terms);
    }
    return distinct.length === 0 ? ['unknown'] : distinct;
  }

  /** Nobody but these has to do with it any more. */
  keep(virtualIpId: string, peerIds: readonly (string | null)[]): void {
    const of = this.#noted.get(virtualIpId);
    for (const peerId of of?.keys() ?? []) if (!peerIds.includes(peerId)) of?.delete(peerId);
  }

  forget(virtualIpId: string): void {
    this.#noted.delete(virtualIpId);
  }

  #atStart(row: VirtualIpRow, holder: string): Noted[] {
    const index = this.#parts.network(row.network_id);
    const peer = index?.peer(holder);
    const item = index?.item(row.id);
    const node = peer === undefined ? undefined : this.#parts.node(peer.instanceId);
    if (index === undefined || peer === undefined || node === undefined || item?.type !== 'virtual_ip') {
      return [{ terms: 'unknown', revision: 0 }];
    }
    const newest: Noted = { terms: termsOf(item, peer, index), revision: node.desiredRevision };
    if (node.applied?.hash === formatDigest(node.digest)) return [newest];
    const given = row.transition?.given_sequence ?? null;
    const passed = node.history.passed(`virtual_ip/${row.id}`, {
      held: BigInt(`0x${node.applied?.hash ?? '0'}`),
      present: node.digest,
    });
    // Untouched on the way, so it is acting on what it has now.
    if (passed?.length === 0) return [newest];
    // It had nothing of this before it was given to it, and everything since then is known.
    const isFirst = given !== null && (node.applied?.revision ?? 0) < given;
    if (passed === null || !isFirst) return [{ terms: 'unknown', revision: 0 }, newest];
    const between = passed.flatMap((entry) =>
      entry?.value.kind === 'virtual_ip' ? [{ terms: leaseTerms(entry.value, index), revision: 0 }] : [],
    );
    return [...between, newest];
  }
}

/** By the addresses at which witnesses are probed; one that is gone cannot be named any more. */
function leaseTerms({ lease }: VirtualIpEntry, index: NetworkIndex): Terms {
  if (lease === null) return null;
  const byAddress = new Map(
    index.transit.flatMap((hub) =>
      index.transit.map((via) => [probeAddressVia(hub.hostAddress, via.hubSlot), hub.id]),
    ),
  );
  const witnesses = lease.witnesses.map((address) => byAddress.get(address));
  if (witnesses.some((id) => id === undefined)) return 'unknown';
  return { witnesses: witnesses.flatMap((id) => id ?? []), enough: lease.enough };
}
