// Test support: networks that change at random, each change one that the actions could have made, and what each
// node should then hold by the naive compiler.
import type { EntryValue } from '../wire/document.ts';
import { documentDigest, formatDigest } from './digest.ts';
import type { Change } from './fleet-index.ts';
import { peerModel } from './model.fixture.ts';
import type { Item, NetworkModel, PeerModel } from './model.ts';
import { compileNaively } from './naive.ts';
import { type Chance, ipv4AddressOf, randomItem } from './random-items.fixture.ts';

export class RandomFleet {
  readonly networks = new Map<string, NetworkModel>();
  readonly peers = new Map<string, PeerModel>();
  readonly items = new Map<string, Item>();
  readonly #accountId: string;
  readonly #instanceIds: readonly string[];
  readonly #chance: Chance;

  constructor(parts: {
    readonly accountId: string;
    readonly instanceIds: readonly string[];
    readonly random: () => number;
  }) {
    this.#accountId = parts.accountId;
    this.#instanceIds = parts.instanceIds;
    this.#chance = chanceOf(parts.random);
  }

  /** Makes a change and takes it into the model. */
  change(): Change {
    const change = this.#pick();
    this.#take(change);
    return change;
  }

  expected(instanceId: string): Map<string, EntryValue> {
    const peers = Map.groupBy(this.peers.values(), (peer) => peer.networkId);
    const items = Map.groupBy(this.items.values(), (item) => item.networkId);
    const networks = Array.from(this.networks.values(), (network) => ({
      network,
      peers: peers.get(network.id) ?? [],
      items: items.get(network.id) ?? [],
    }));
    return compileNaively(networks, instanceId);
  }

  expectedHash(instanceId: string): string {
    return formatDigest(documentDigest(this.expected(instanceId).values()));
  }

  #pick(): Change {
    const { one, share } = this.#chance;
    const network = one([...this.networks.values()]);
    if (network === undefined || (this.networks.size < 2 && share(0.04))) return this.#newNetwork();
    if (share(0.01)) return { kind: 'network_deleted', networkId: network.id };
    if (share(0.06)) return { kind: 'network_updated', network: this.#changedNetwork(network) };
    const peers = [...this.peers.values()].filter((peer) => peer.networkId === network.id);
    if (peers.length > 1 && share(0.5)) return this.#changeItem(network, peers);
    return this.#changePeer(network, peers);
  }

  #changePeer(network: NetworkModel, peers: readonly PeerModel[]): Change {
    const { one, share } = this.#chance;
    const about = { kind: 'peer_changed', networkId: network.id } as const;
    const peer = one(peers);
    const joining = one(this.#instanceIds.filter((id) => !peers.some((other) => other.instanceId === id)));
    if (joining !== undefined && (peer === undefined || share(0.5))) {
      return { ...about, before: null, after: this.#newPeer(network, joining, peers) };
    }
    if (peer === undefined) return { kind: 'network_deleted', networkId: network.id };
    const after = share(0.3) ? null : this.#changedPeer(network, peer, peers);
    return { ...about, before: peer, after };
  }

  #changeItem(network: NetworkModel, peers: readonly PeerModel[]): Change {
    const { one, share } = this.#chance;
    const about = { kind: 'item_changed', networkId: network.id } as const;
    const items = [...this.items.values()].filter((item) => item.networkId === network.id);
    const before = items.length > 0 && share(0.6) ? (one(items) ?? null) : null;
    if (before !== null && share(0.35)) return { ...about, before, after: null };
    const after = randomItem(network, { before, peers, items }, this.#chance);
    return before === null ? { ...about, before, after } : { ...about, before, after };
  }

  #newNetwork(): Change {
    const { number, pick } = this.#chance;
    const n = number();
    const network: NetworkModel = {
      id: `network-${n}`,
      accountId: this.#accountId,
      handle: `n${n}`,
      prefix: `fd00:1:2:${n.toString(16)}::/64`,
      ipv4Prefix: pick(null, ipv4PrefixOf(n)),
      mtu: 1420,
      topologyStrategy: pick('hub_and_spoke', 'full_mesh'),
      firewallDefaultPolicy: pick('accept', 'drop'),
      ...(this.#chance.share(0.4) ? { asNumber: 64512 } : {}),
      ...(this.#chance.share(0.3) ? { podPrefix: '10.42.0.0/16' } : {}),
      rematchConnections: pick(true, false),
    };
    return { kind: 'network_created', network };
  }

  #changedNetwork(network: NetworkModel): NetworkModel {
    const { pick, share } = this.#chance;
    const { asNumber, ...rest } = network;
    const { podPrefix, ...withoutPods } = share(0.8)
      ? network
      : asNumber === undefined
        ? { ...rest, asNumber: 64512 }
        : rest;
    const kept = share(0.8) ? podPrefix : podPrefix === undefined ? 'fd42::/56' : undefined;
    const next = {
      ...withoutPods,
      ...(kept === undefined ? {} : { podPrefix: kept }),
      mtu: pick(1280, 1420),
      firewallDefaultPolicy: pick('accept' as const, 'drop' as const),
      rematchConnections: pick(true, false),
    };
    if (share(0.6)) return next;
    return {
      ...next,
      ipv4Prefix: pick(null, network.ipv4Prefix ?? ipv4PrefixOf(this.#chance.number())),
      topologyStrategy: pick('hub_and_spoke', 'full_mesh'),
    };
  }

  #newPeer(network: NetworkModel, instanceId: string, others: readonly PeerModel[]): PeerModel {
    const { number } = this.#chance;
    const n = number();
    const peer: PeerModel = peerModel({
      id: `peer-${n}`,
      networkId: network.id,
      instanceId,
      hostAddress: network.prefix.replace('/64', n.toString(16)),
      publicKey: `key-${n}`,
      directKey: `direct-${n}`,
    });
    return this.#changedPeer(network, peer, others);
  }

  #changedPeer(network: NetworkModel, peer: PeerModel, peers: readonly PeerModel[]): PeerModel {
    const { number, one, share, tags } = this.#chance;
    const used = new Set(peers.filter((other) => other.id !== peer.id).map((other) => other.hubSlot));
    const free = [1, 2, 3, 4, 5, 6].filter((slot) => !used.has(slot));
    const isHub = share(0.5);
    // Often but one thing is another: what compares too little is found by it.
    const often = <T>(value: T, other: () => T): T => (share(0.5) ? other() : value);
    return {
      ...peer,
      hubSlot: often(peer.hubSlot, () => (isHub ? (one(free) ?? null) : null)),
      endpoint: often(peer.endpoint, () =>
        share(isHub ? 0.9 : 0.3) ? this.#endpoint(network, '192.0.2.1') : null,
      ),
      fallbackEndpoints: often(peer.fallbackEndpoints ?? [], () =>
        share(0.5) ? [this.#endpoint(network, '[2001:db8::1]')] : [],
      ),
      publicKey: share(0.2) ? `key-${number()}` : peer.publicKey,
      directKey: often(peer.directKey, () => (share(0.8) ? `direct-${number()}` : null)),
      directEndpoint: often(peer.directEndpoint, () =>
        share(0.7) ? this.#endpoint(network, '198.51.100.1') : null,
      ),
      ipv4Address: often(peer.ipv4Address, () =>
        network.ipv4Prefix !== null && share(0.7) ? ipv4AddressOf(network.ipv4Prefix, number()) : null,
      ),
      listenPort: share(0.1) ? 51820 + (number() % 50) : peer.listenPort,
      tags: often(peer.tags, tags),
      draining: share(0.2),
      routingDaemonMissing: often(peer.routingDaemonMissing ?? false, () => share(0.3)),
    };
  }

  /** Now and then one that no document may name. */
  #endpoint(network: NetworkModel, usual: string): string {
    const { number, pick, share } = this.#chance;
    const inside = network.prefix.replace('::/64', '::9');
    const address = share(0.1) ? pick('127.0.0.1', '224.0.0.1', '[::1]', `[${inside}]`) : usual;
    return `${address}:${1000 + number()}`;
  }

  #take(change: Change): void {
    switch (change.kind) {
      case 'network_created':
      case 'network_updated':
        this.networks.set(change.network.id, change.network);
        return;
      case 'network_deleted':
        this.networks.delete(change.networkId);
        for (const map of [this.peers, this.items]) {
          for (const [id, { networkId }] of map) if (networkId === change.networkId) map.delete(id);
        }
        return;
      case 'peer_changed':
        if (change.after !== null) this.peers.set(change.after.id, change.after);
        else if (change.before !== null) this.peers.delete(change.before.id);
        return;
      case 'item_changed':
        if (change.after !== null) this.items.set(change.after.id, change.after);
        else if (change.before !== null) this.items.delete(change.before.id);
    }
  }
}

/** As many as the pool has, then over again; there are never more than two networks at once. */
function ipv4PrefixOf(n: number): string {
  return `100.${64 + ((n >> 2) & 63)}.${(n & 3) * 64}.0/18`;
}

function chanceOf(random: () => number): Chance {
  let numbers = 0;
  const share = (of: number) => random() < of;
  return {
    share,
    number: () => ++numbers,
    one: (list) => list[Math.floor(random() * list.length)],
    pick: (...options) => options[Math.floor(random() * options.length)] ?? options[0],
    tags: () => ['a', 'b', 'c'].filter(() => share(0.3)),
  };
}
