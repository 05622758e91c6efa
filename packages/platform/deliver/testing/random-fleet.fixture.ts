// Test support: networks that change at random, each change one that the actions could have made, and what each
// node should then hold by the naive compiler.
import { documentDigest, formatDigest } from '@powernode/core/compile/digest';
import type { Change } from '@powernode/core/compile/fleet-index';
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import { compileNaively } from '@powernode/core/compile/naive';
import type { EntryValue } from '@powernode/core/wire/document';

export class RandomFleet {
  readonly networks = new Map<string, NetworkModel>();
  readonly peers = new Map<string, PeerModel>();
  readonly #accountId: string;
  readonly #instanceIds: readonly string[];
  readonly #random: () => number;
  #numbers = 0;

  constructor(parts: {
    readonly accountId: string;
    readonly instanceIds: readonly string[];
    readonly random: () => number;
  }) {
    this.#accountId = parts.accountId;
    this.#instanceIds = parts.instanceIds;
    this.#random = parts.random;
  }

  /** Makes a change and takes it into the model. */
  change(): Change {
    const change = this.#pick();
    this.#take(change);
    return change;
  }

  expected(instanceId: string): Map<string, EntryValue> {
    const peers = Map.groupBy(this.peers.values(), (peer) => peer.networkId);
    const networks = Array.from(this.networks.values(), (network) => ({
      network,
      peers: peers.get(network.id) ?? [],
    }));
    return compileNaively(networks, instanceId);
  }

  expectedHash(instanceId: string): string {
    return formatDigest(documentDigest(this.expected(instanceId).values()));
  }

  #pick(): Change {
    const network = this.#one([...this.networks.values()]);
    const dice = this.#random();
    if (network === undefined || (dice < 0.04 && this.networks.size < 3)) return this.#newNetwork();
    if (dice < 0.07) return { kind: 'network_deleted', networkId: network.id };
    if (dice < 0.12)
      return { kind: 'network_updated', network: { ...network, mtu: this.#oneOf(1280, 1420) } };
    const peers = [...this.peers.values()].filter((peer) => peer.networkId === network.id);
    const peer = this.#one(peers);
    const free = this.#instanceIds.filter((id) => !peers.some((one) => one.instanceId === id));
    const joining = this.#one(free);
    if (joining !== undefined && (peer === undefined || dice < 0.55)) {
      const after = this.#newPeer(network, joining);
      return { kind: 'peer_changed', networkId: network.id, before: null, after };
    }
    if (peer === undefined) return { kind: 'network_deleted', networkId: network.id };
    const after = dice < 0.7 ? null : this.#changedPeer(peer, peers);
    return { kind: 'peer_changed', networkId: network.id, before: peer, after };
  }

  #newNetwork(): Change {
    const number = ++this.#numbers;
    const network: NetworkModel = {
      id: `network-${number}`,
      accountId: this.#accountId,
      handle: `n${number}`,
      prefix: `fd00:1:2:${number.toString(16)}::/64`,
      mtu: 1420,
      topologyStrategy: this.#oneOf('hub_and_spoke', 'full_mesh'),
    };
    return { kind: 'network_created', network };
  }

  #newPeer(network: NetworkModel, instanceId: string): PeerModel {
    const number = ++this.#numbers;
    const peer: PeerModel = {
      id: `peer-${number}`,
      networkId: network.id,
      instanceId,
      hostAddress: network.prefix.replace('/64', number.toString(16)),
      publicKey: `key-${number}`,
      hubSlot: null,
      endpoint: null,
      listenPort: 51820,
    };
    const others = [...this.peers.values()].filter((one) => one.networkId === network.id);
    return this.#changedPeer(peer, others);
  }

  #changedPeer(peer: PeerModel, peers: readonly PeerModel[]): PeerModel {
    const used = new Set(peers.filter((one) => one.id !== peer.id).map((one) => one.hubSlot));
    let slot = 1;
    while (used.has(slot)) slot++;
    const hub = this.#random() < 0.35;
    return {
      ...peer,
      hubSlot: hub ? (peer.hubSlot ?? slot) : null,
      endpoint: this.#random() < 0.6 ? `192.0.2.1:${1000 + ++this.#numbers}` : null,
      publicKey: this.#random() < 0.3 ? `key-${++this.#numbers}` : peer.publicKey,
    };
  }

  #take(change: Change): void {
    switch (change.kind) {
      case 'network_created':
      case 'network_updated':
        this.networks.set(change.network.id, change.network);
        return;
      case 'network_deleted':
        this.networks.delete(change.networkId);
        for (const peer of this.peers.values()) {
          if (peer.networkId === change.networkId) this.peers.delete(peer.id);
        }
        return;
      case 'peer_changed':
        if (change.after !== null) this.peers.set(change.after.id, change.after);
        else if (change.before !== null) this.peers.delete(change.before.id);
    }
  }

  #one<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#random() * list.length)];
  }

  #oneOf<T>(a: T, b: T): T {
    return this.#random() < 0.5 ? a : b;
  }
}
