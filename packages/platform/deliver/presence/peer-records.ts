// Whether each peer is reachable: one small record for each, evaluated again after each report about it. Keeps no clock
// and writes nothing.

import type { Delta, DeltaSubscriber, PeerDelta } from '@powernode/core/compile/deltas';
import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { PeerModel } from '@powernode/core/compile/model';
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import type { AccountId, InstanceId, NetworkId, PeerId, PublicKey } from '@powernode/core/ids';
import {
  evaluatePeer,
  type HubReport,
  type PathReport,
  type PeerVerdict,
} from '@powernode/core/presence/evaluate-peer';
import type { Evidence } from './evidence.ts';

export interface PeerRecord {
  readonly accountId: AccountId;
  readonly networkId: NetworkId;
  readonly peerId: PeerId;
  readonly instanceId: InstanceId;
  readonly address: string;
  verdict: PeerVerdict;
  /** Since when it is reached, or not; null: nothing is known. */
  sinceMs: number | null;
}

export interface PeerRecordsParts {
  readonly fleet: FleetIndex;
  readonly evidence: () => Evidence;
  /** The newest handshake of any peer with it; null: none. */
  readonly handshakeMs: (publicKey: PublicKey) => number | null;
  readonly now: () => number;
  readonly created: (record: PeerRecord) => void;
  readonly removed: (record: PeerRecord) => void;
  /** Its verdict may be another one. */
  readonly evaluated: (record: PeerRecord) => void;
}

const nothing: PeerVerdict = { reachable: null, because: null, isPassing: true };

export class PeerRecords implements DeltaSubscriber {
  readonly #parts: PeerRecordsParts;
  readonly #byPeer = new Map<PeerId, PeerRecord>();
  readonly #byAddress = new Map<string, PeerRecord>();
  readonly #dirty = new Set<PeerId>();

  constructor(parts: PeerRecordsParts) {
    this.#parts = parts;
  }

  add(accountId: AccountId, peer: PeerModel): void {
    const record: PeerRecord = {
      accountId,
      networkId: peer.networkId,
      peerId: peer.id,
      instanceId: peer.instanceId,
      address: peer.hostAddress,
      verdict: nothing,
      sinceMs: null,
    };
    this.#byPeer.set(peer.id, record);
    this.#byAddress.set(addressKey(accountId, peer.hostAddress), record);
    this.#dirty.add(peer.id);
    this.#parts.created(record);
  }

  onDelta(delta: Delta): void {
    switch (delta.kind) {
      case 'peer_added':
        this.add(delta.network.accountId, delta.after);
        break;
      case 'peer_changed':
        if (delta.before.hostAddress !== delta.after.hostAddress) {
          this.#remove(delta.before.id);
          this.add(delta.network.accountId, delta.after);
        } else this.#dirty.add(delta.after.id);
        break;
      case 'peer_removed':
        this.#remove(delta.before.id);
        break;
      case 'network_added':
      case 'network_changed':
      case 'network_removed':
      case 'item_added':
      case 'item_changed':
      case 'item_removed':
        return;
    }
    // A hub more or less changes which reports count.
    if (isOfHub(delta)) this.touchNetwork(delta.network.id);
  }

  get(peerId: PeerId): PeerRecord | undefined {
    return this.#byPeer.get(peerId);
  }

  at(accountId: AccountId, address: string): PeerRecord | undefined {
    return this.#byAddress.get(addressKey(accountId, address));
  }

  all(): IterableIterator<PeerRecord> {
    return this.#byPeer.values();
  }

  touch(peerId: PeerId): void {
    if (this.#byPeer.has(peerId)) this.#dirty.add(peerId);
  }

  touchNetwork(networkId: NetworkId): void {
    for (const peer of this.#parts.fleet.network(networkId)?.peers() ?? []) this.#dirty.add(peer.id);
  }

  touchAll(): void {
    for (const peerId of this.#byPeer.keys()) this.#dirty.add(peerId);
  }

  /** Verdicts that age by themselves. */
  touchPassing(): void {
    for (const record of this.#byPeer.values()) if (record.verdict.isPassing) this.#dirty.add(record.peerId);
  }

  /** The machine is heard, or is not any more: its own peers, and those who depend on what it says. */
  machine(instanceId: InstanceId): void {
    for (const network of this.#parts.fleet.networksOf(instanceId)) {
      const peer = network.peerOfInstance(instanceId);
      if (peer === undefined) continue;
      if (peer.hubSlot !== null) this.touchNetwork(network.network.id);
      else {
        this.#dirty.add(peer.id);
        for (const hub of network.transit) this.#dirty.add(hub.id);
      }
    }
  }

  /** Evaluates all peers that were touched: hubs first, because spokes depend on them. */
  evaluateDirty(): void {
    if (this.#dirty.size === 0) return;
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    const networks = new Map<NetworkId, { readonly hubs: PeerModel[]; readonly spokes: PeerModel[] }>();
    for (const peerId of dirty) {
      const record = this.#byPeer.get(peerId);
      const peer = record && this.#parts.fleet.network(record.networkId)?.peer(peerId);
      if (record === undefined || peer === undefined) continue;
      const of = networks.get(record.networkId) ?? { hubs: [], spokes: [] };
      networks.set(record.networkId, of);
      (peer.hubSlot === null ? of.spokes : of.hubs).push(peer);
    }
    for (const [networkId, { hubs, spokes }] of networks) {
      const index = this.#parts.fleet.network(networkId);
      if (index === undefined) continue;
      let isAnyHubOther = false;
      for (const hub of hubs) if (this.#evaluate(index, hub)) isAnyHubOther = true;
      const others = isAnyHubOther ? [...index.peers()].filter((peer) => peer.hubSlot === null) : spokes;
      for (const peer of others) this.#evaluate(index, peer);
    }
  }

  #remove(peerId: PeerId): void {
    const record = this.#byPeer.get(peerId);
    if (record === undefined) return;
    this.#byPeer.delete(peerId);
    this.#byAddress.delete(addressKey(record.accountId, record.address));
    this.#dirty.delete(peerId);
    this.#parts.removed(record);
  }

  /** Answers whether the peer is reached now and was not, or vice versa. */
  #evaluate(index: NetworkIndex, peer: PeerModel): boolean {
    const record = this.#byPeer.get(peer.id);
    if (record === undefined) return false;
    const { now, evaluated, handshakeMs } = this.#parts;
    const evidence = this.#parts.evidence();
    const nowMs = now();
    const heardBy: HubReport[] = [];
    const paths: PathReport[] = [];
    for (const hub of index.transit) {
      if (hub.id === peer.id) continue;
      const heard = evidence.heardBy(hub.instanceId, peer.hostAddress);
      if (heard !== undefined) heardBy.push({ hubId: hub.id, ...heard });
      const tunnel = evidence.tunnel(peer.instanceId, hub.id);
      if (tunnel !== undefined) paths.push({ hubId: hub.id, ...tunnel });
    }
    const before = record.verdict;
    record.verdict = evaluatePeer({
      isHub: peer.hubSlot !== null,
      machine: evidence.presence(peer.instanceId),
      heardBy,
      paths,
      reports: peer.hubSlot === null ? noReports : evidence.tunnelReportCounts(peer.id),
      hearsAny: peer.hubSlot === null ? null : evidence.hearsAny(peer.instanceId),
      hub: (id) => this.#hub(index, id),
      handshakeMs: handshakeMs(peer.publicKey),
      nowMs,
    });
    const { reachable, because } = record.verdict;
    const isOther = before.reachable !== reachable;
    // What is not reached was last heard at some time, which does not move as long as it is not.
    if (isOther)
      record.sinceMs = reachable === null ? null : ((reachable ? null : because?.sinceMs) ?? nowMs);
    evaluated(record);
    return isOther;
  }

  #hub(index: NetworkIndex, hubId: PeerId): { reachable: boolean | null; isOnline: boolean } {
    const hub = index.peer(hubId);
    return {
      reachable: this.#byPeer.get(hubId)?.verdict.reachable ?? null,
      isOnline: hub !== undefined && this.#parts.evidence().isOnline(hub.instanceId),
    };
  }
}

const noReports = {
  answers: 0,
  silent: 0,
  forwardsNothing: 0,
  silentSinceMs: null,
  forwardsNothingSinceMs: null,
};

function isOfHub(delta: PeerDelta): boolean {
  const wasHub = delta.kind !== 'peer_added' && delta.before.hubSlot !== null;
  return wasHub || (delta.kind !== 'peer_removed' && delta.after.hubSlot !== null);
}

function addressKey(accountId: AccountId, address: string): string {
  return `${accountId} ${address}`;
}
