// Test support: random networks full of rules that overlap, and packets that meet every one of their borders.

import { hostAddressesOf } from '../compile/entries.ts';
import { ruleContribution } from '../compile/items/firewall-rule.ts';
import type { Lookup } from '../compile/items/kind.ts';
import { memberEntries } from '../compile/items/members.ts';
import type { Item, NetworkModel, PeerModel, RuleModel, Selector } from '../compile/model.ts';
import type { Random } from '../testing/random.ts';
import type { MemberEntry, RuleEntry } from '../wire/document.ts';
import type { AuditedNetwork } from './dead-sides.ts';

export class Dice {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  share(of: number): boolean {
    return this.#random() < of;
  }
  below(end: number): number {
    return Math.floor(this.#random() * end);
  }
  one<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new Error('nothing to choose from');
    return found;
  }
  pick<const T>(...options: readonly T[]): T {
    return this.one(options);
  }
}

export function uuid(kind: number, n: number): string {
  return `01890000-0000-7000-8000-${kind.toString(16).padStart(4, '0')}${n.toString(16).padStart(8, '0')}`;
}

/** Blocks of fd00:5::/64 and 100.64.0.0/18 that hold, halve and touch each other. */
const blocks = [
  'fd00:5::/64',
  'fd00:5::/65',
  'fd00:5:0:0:8000::/65',
  'fd00:5::100/120',
  'fd00:5::100/121',
  'fd00:5::180/121',
  'fd00:5::101/128',
  'fd00:5::103/128',
  '::/0',
  '0.0.0.0/0',
  '100.64.0.0/18',
  '100.64.0.0/24',
  '100.64.0.1/32',
] as const;

/** Of LANs, with their parts. */
const lanBlocks = [
  'fd00:7::/48',
  'fd00:7:0:1::/64',
  'fd00:8::/64',
  '192.168.0.0/16',
  '192.168.7.0/24',
] as const;

const tags = ['a', 'b', 'c'] as const;

/** What a random rule may name. */
export interface RuleNames {
  readonly id: string;
  readonly networkId: string;
  readonly peers: readonly string[];
  readonly devices: readonly string[];
  readonly virtualIps: readonly string[];
  readonly tags: readonly string[];
  readonly blocks: readonly string[];
}

/** Ports are of 1 to 3 above `portBase`, so that rules and packets meet. */
export function randomRule(dice: Dice, names: RuleNames, portBase = 0): RuleModel {
  const protocol = dice.pick('any', 'any', 'tcp', 'tcp', 'udp', 'icmp6');
  const first = dice.pick(1, 2, 3);
  const last = dice.pick(first, 3);
  const hasPorts = (protocol === 'tcp' || protocol === 'udp') && dice.share(0.7);
  return {
    type: 'firewall_rule',
    id: names.id,
    networkId: names.networkId,
    direction: dice.pick('ingress', 'ingress', 'egress', 'both'),
    action: dice.pick('accept', 'drop', 'reject'),
    selector: randomSelector(dice, names, dice.pick('peer', 'user_device', 'tag', 'cidr', 'cidr', 'all')),
    destination: randomSelector(
      dice,
      names,
      dice.pick('peer', 'user_device', 'virtual_ip', 'tag', 'cidr', 'all', 'all'),
    ),
    protocol,
    ports: hasPorts ? [portBase + first, portBase + last] : null,
    enabled: dice.share(0.9),
  };
}

/** Now and then of an object that is gone. */
function randomSelector(dice: Dice, names: RuleNames, kind: Selector['kind']): Selector {
  const of = (ids: readonly string[]) => (dice.share(0.9) && ids.length > 0 ? dice.one(ids) : uuid(9, 999));
  switch (kind) {
    case 'peer':
      return { kind, id: of(names.peers) };
    case 'user_device':
      return { kind, id: of(names.devices) };
    case 'virtual_ip':
      return { kind, id: of(names.virtualIps) };
    case 'federation_peer':
      return { kind, id: uuid(7, 1) };
    case 'tag':
      return { kind, tag: dice.pick(...names.tags, 'nobody') };
    case 'cidr':
      return { kind, cidr: dice.one(names.blocks) };
    case 'all':
      return { kind };
  }
}

export class RandomNetwork implements AuditedNetwork {
  readonly network: NetworkModel;
  readonly #peers = new Map<string, PeerModel>();
  readonly #items = new Map<string, Item>();
  readonly #dice: Dice;
  #numbers = 0;

  constructor(
    dice: Dice,
    size: {
      readonly peers: number;
      readonly devices: number;
      readonly rules: number;
      readonly lans?: number;
      /** Its peers speak BGP. */
      readonly bgp?: boolean;
    },
  ) {
    this.#dice = dice;
    this.network = {
      ...(size.bgp === true ? { asNumber: 64_512 } : {}),
      id: uuid(1, 1),
      accountId: uuid(0, 1),
      handle: 'net',
      prefix: 'fd00:5::/64',
      ipv4Prefix: dice.pick(null, '100.64.0.0/18'),
      mtu: 1420,
      topologyStrategy: 'hub_and_spoke',
      firewallDefaultPolicy: dice.pick('accept', 'drop'),
      rematchConnections: true,
    };
    for (let n = 1; n <= size.peers; n++) this.#addPeer(n);
    for (let n = 1; n <= size.devices; n++) this.#addDevice(n);
    this.#addVirtualIp(1);
    for (let n = 1; n <= (size.lans ?? 0); n++) this.#addLan(n);
    const names = {
      networkId: this.network.id,
      peers: [...this.#peers.keys()],
      devices: [uuid(4, 1)],
      virtualIps: [uuid(5, 1)],
      tags,
      blocks: size.lans === undefined ? blocks : [...blocks, ...lanBlocks],
    };
    for (let n = 1; n <= size.rules; n++) this.add(randomRule(dice, { id: uuid(6, n), ...names }));
  }

  peer(id: string): PeerModel | undefined {
    return this.#peers.get(id);
  }
  peers(): Iterable<PeerModel> {
    return this.#peers.values();
  }
  item(id: string): Item | undefined {
    return this.#items.get(id);
  }
  items(): Iterable<Item> {
    return this.#items.values();
  }

  add(item: Item): void {
    this.#items.set(item.id, item);
  }
  remove(id: string): void {
    this.#items.delete(id);
  }

  rules(): RuleModel[] {
    return [...this.#items.values()].filter((item) => item.type === 'firewall_rule');
  }

  /** What nodes have of the rules. */
  entries(): RuleEntry[] {
    const lookup: Lookup = {
      network: this.network,
      peer: (id) => this.peer(id),
      item: (id) => this.item(id),
      hubs: () => [],
      transit: [],
    };
    return this.rules().flatMap((rule) => {
      const views = ruleContribution(rule, lookup);
      const [entry] = [...views.all, ...[...views.peers.values()].flat()];
      return entry?.kind === 'rule' ? [entry] : [];
    });
  }

  members(): MemberEntry[] {
    const isNamed = () => true;
    const peers = Array.from(this.peers(), (peer) => ({ tags: peer.tags, addresses: hostAddressesOf(peer) }));
    const devices = Array.from(this.items()).filter((item) => item.type === 'user_device');
    return [...peers, ...devices]
      .flatMap((member) => memberEntries(this.network, member, isNamed))
      .filter((entry) => entry.kind === 'member');
  }

  #tags(): string[] {
    return tags.filter(() => this.#dice.share(0.4));
  }

  #addresses(): [ipv6: string, ipv4: string] {
    const n = ++this.#numbers;
    return [`fd00:5::${(0x100 + n).toString(16)}`, `100.64.0.${n}`];
  }

  #addPeer(n: number): void {
    const [hostAddress, ipv4Address] = this.#addresses();
    this.#peers.set(uuid(2, n), {
      id: uuid(2, n),
      networkId: this.network.id,
      instanceId: uuid(3, n),
      hostAddress,
      ipv4Address: this.network.ipv4Prefix === null ? null : ipv4Address,
      publicKey: `key-${n}`,
      directKey: null,
      directEndpoint: null,
      hubSlot: n <= 2 ? n : null,
      endpoint: n <= 2 ? `192.0.2.${n}:51820` : null,
      listenPort: 51820,
      tags: this.#tags(),
      draining: false,
    });
  }

  #addDevice(n: number): void {
    this.add({
      type: 'user_device',
      id: uuid(4, n),
      networkId: this.network.id,
      publicKey: `device-${n}`,
      addresses: this.#legs(),
      hubPeerId: uuid(2, 1 + (n % 2)),
      tags: this.#tags(),
    });
  }

  #addVirtualIp(n: number): void {
    const candidates = [uuid(2, 3), uuid(2, 1)];
    this.add({
      type: 'virtual_ip',
      id: uuid(5, n),
      networkId: this.network.id,
      addresses: this.#legs(),
      anycast: false,
      candidates,
      holder: this.#dice.one(candidates),
      epoch: 1,
    });
  }

  /** A hub in front of a prefix takes nothing from it that another peer sends, so it is the only one. */
  #addLan(n: number): void {
    const prefix = this.#dice.one(lanBlocks);
    const peer = this.#dice.one([...this.#peers.values()]);
    const others = [...this.#items.values()].flatMap((item) =>
      item.type === 'subnet_advertisement' && item.prefix === prefix ? [item.peerId] : [],
    );
    if (others.length > 0 && [peer.id, ...others].some((id) => this.peer(id)?.hubSlot !== null)) return;
    this.add({
      type: 'subnet_advertisement',
      id: uuid(8, n),
      networkId: this.network.id,
      peerId: peer.id,
      prefix,
      localPrefix: prefix,
      preference: this.#dice.pick(100, 200),
      sourceNat: this.#dice.share(0.3),
    });
  }

  /** Addresses of LANs, and beside them. */
  lanAddresses(): string[] {
    const ipv6 = ['fd00:7::5', 'fd00:7:0:1::5', 'fd00:8::5', 'fd00:9::5'];
    return [...ipv6, '192.168.7.5', '192.168.9.5', '192.169.0.5'];
  }

  #legs(): string[] {
    const [ipv6, ipv4] = this.#addresses();
    return this.network.ipv4Prefix === null ? [ipv6] : [ipv6, ipv4];
  }

  /** The addresses of all peers and items, and some that are free, in every range that blocks divide the space into. */
  addresses(): string[] {
    const known = [...this.#peers.values()].flatMap((peer) =>
      [peer.hostAddress, peer.ipv4Address ?? []].flat(),
    );
    const items = [...this.#items.values()].flatMap((item) => ('addresses' in item ? item.addresses : []));
    const nobody6 = [
      'fd00:5::17f',
      'fd00:5::1ff',
      'fd00:5::2ff',
      'fd00:5:0:0:8000::1',
      'fd00:6::1',
      'fd00:5::103',
      'fd00:5::101',
    ];
    const nobody4 = ['100.64.0.200', '100.64.5.5', '10.0.0.1', '100.64.0.1'];
    const nobody = this.network.ipv4Prefix === null ? nobody6 : [...nobody6, ...nobody4];
    return [...new Set([...known, ...items, ...nobody])];
  }
}
