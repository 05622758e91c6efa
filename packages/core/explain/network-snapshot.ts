// The network that an explanation reads: its model, the documents of its nodes, and the owner of each address.

import { hostAddressesOf, prefixesOf } from '../compile/entries.ts';
import type {
  Item,
  NetworkModel,
  PeerModel,
  SubnetModel,
  UserDeviceModel,
  VirtualIpModel,
} from '../compile/model.ts';
import { usableEntries } from '../compile/usable.ts';
import { contains, hostMask, type Prefix, parsePrefix } from '../net/prefix.ts';
import { probeHostNumberFirst } from '../net/probe-address.ts';
import type { UnreachableCode } from '../presence/evaluate-peer.ts';
import { hopOrder } from '../routing/hop-order.ts';
import { type EntryValue, entryKey } from '../wire/document.ts';
import { NodeDocument } from '../wire/node-document.ts';
import type { NodeProblem } from '../wire/node-problems.ts';
import { NodeView } from './node-view.ts';
import { type ParsedAddress, PrefixMap, parsedAddressOf } from './prefix-map.ts';
import { type GroupsOf, groupsOfAddresses } from './rule-index.ts';

/** The part of the incremental compiler that explanations use. */
export interface CompiledNetwork {
  readonly network: NetworkModel;
  peer(id: string): PeerModel | undefined;
  peers(): Iterable<PeerModel>;
  item(id: string): Item | undefined;
  items(): Iterable<Item>;
  compile(instanceId: string): Iterable<{ readonly value: EntryValue }>;
}

export type Owner = PeerModel | VirtualIpModel | UserDeviceModel;

export function isPeer(owner: Owner): owner is PeerModel {
  return !('type' in owner);
}

/** The problems that a peer reports of itself in the network, the worst first. */
export type ProblemsOf = (peerId: string) => readonly NodeProblem[];

/** Whether a peer is reachable now, and why not; null: nothing is known. */
export type PresenceOf = (peerId: string) => ObservedPresence | null;

/** Holders of a virtual IP that are left out, because their health check fails: by peer, why. */
export type WithdrawnBy = (virtualIpId: string) => ReadonlyMap<string, string>;

export interface ObservedPresence {
  readonly reachable: boolean | null;
  readonly because: { readonly code: UnreachableCode; readonly detail: string } | null;
}

/** A path that BGP takes for the best, or for as good. */
export interface BestPath {
  /** The overlay address of the peer that announces it. */
  readonly announcer: string;
  /** The overlay address that packets are sent to: the announcer's, unless a policy has set another one. */
  readonly nextHop: string;
}

/**
 * The paths that a peer uses to a prefix; none: no path arrives there. null: BGP does not decide there, so that preferences
 * do. `peerId` null: any peer that announces nothing.
 */
export type BestOf = (peerId: string | null, prefix: string) => readonly BestPath[] | null;

/** What is observed of nodes, beside what their documents say. */
export interface LiveState {
  readonly problemsOf?: ProblemsOf;
  readonly presenceOf?: PresenceOf;
  readonly withdrawnBy?: WithdrawnBy;
  /** Absent: the routes of the network are static. */
  readonly bestOf?: BestOf;
}

export class NetworkSnapshot {
  readonly network: CompiledNetwork;
  readonly problemsOf: ProblemsOf;
  readonly presenceOf: PresenceOf;
  readonly withdrawnBy: WithdrawnBy;
  readonly bestOf: BestOf;
  readonly #nodes = new Map<string, NodeView>();
  readonly #prefixes: readonly Prefix[];
  readonly #parsed = new Map<string, ParsedAddress | null>();
  #owners: Map<string, Owner> | null = null;
  #groupsOf: GroupsOf | null = null;
  #subnets: PrefixMap<readonly SubnetModel[]> | null = null;

  constructor(network: CompiledNetwork, live: LiveState = {}) {
    this.network = network;
    this.problemsOf = live.problemsOf ?? (() => []);
    this.presenceOf = live.presenceOf ?? (() => null);
    this.withdrawnBy = live.withdrawnBy ?? (() => new Map());
    this.bestOf = live.bestOf ?? (() => null);
    this.#prefixes = prefixesOf(network.network).flatMap((text) => parsePrefix(text) ?? []);
  }

  /** null: there is no such peer. */
  node(peerId: string): NodeView | null {
    const known = this.#nodes.get(peerId);
    if (known !== undefined) return known;
    const peer = this.network.peer(peerId);
    if (peer === undefined) return null;
    const compiled = new Map<string, EntryValue>();
    for (const { value } of this.network.compile(peer.instanceId)) compiled.set(entryKey(value), value);
    const document = NodeDocument.of(usableEntries(compiled));
    this.#groupsOf ??= groupsOfAddresses(document.all('member').values());
    const node = new NodeView({ peerId, document, groupsOf: this.#groupsOf });
    this.#nodes.set(peerId, node);
    return node;
  }

  /** null: the text is no address. */
  address(text: string): ParsedAddress | null {
    const known = this.#parsed.get(text);
    if (known !== undefined) return known;
    const address = parsedAddressOf(text);
    this.#parsed.set(text, address);
    return address;
  }

  owner(address: ParsedAddress): Owner | undefined {
    this.#owners ??= this.#allOwners();
    return this.#owners.get(address.text);
  }

  isInside(address: ParsedAddress): boolean {
    return this.#prefixes.some((prefix) => contains(prefix, address));
  }

  /**
   * The longest prefix behind peers that has the address: for each peer in front of it, the one first that most others use,
   * by BGP or by preference.
   */
  subnetsAt(address: ParsedAddress): readonly SubnetModel[] {
    if (this.#subnets === null) {
      this.#subnets = new PrefixMap();
      for (const [prefix, subnets] of subnetsByPrefix(this.network)) this.#subnets.set(prefix, subnets);
    }
    const subnets = this.#subnets.longest(address) ?? [];
    const [first] = subnets;
    const best = first === undefined || subnets.length === 1 ? null : this.bestOf(null, first.prefix);
    if (best === null) return subnets;
    const hops = hopOrder(
      subnets.flatMap((subnet) => this.#frontPeer(subnet) ?? []),
      best.map(({ announcer }) => announcer),
    );
    const used = hops.flatMap(({ entry }) => entry?.subnet ?? []);
    return [...used, ...subnets.filter((one) => !used.includes(one))];
  }

  #frontPeer(subnet: SubnetModel) {
    const peer = this.network.peer(subnet.peerId);
    if (peer === undefined) return undefined;
    const { hostAddress: next_hop, routingDaemonMissing: is_static } = peer;
    return { next_hop, preference: subnet.preference, is_static, subnet };
  }

  /** Whether agents answer probes at the address. */
  isProbeAddress(address: ParsedAddress): boolean {
    const prefix = this.#prefixes.find((one) => contains(one, address));
    return prefix?.family === 6 && (address.bits & hostMask(prefix)) >= probeHostNumberFirst;
  }

  /** The peers that hold a virtual IP, or would; packets go to the first. */
  holders(item: VirtualIpModel): string[] {
    const ids = item.anycast ? item.candidates : item.holder === null ? [] : [item.holder];
    return ids.filter((id) => this.network.peer(id) !== undefined);
  }

  #allOwners(): Map<string, Owner> {
    const owners = new Map<string, Owner>();
    for (const peer of this.network.peers()) {
      for (const address of hostAddressesOf(peer)) owners.set(address, peer);
    }
    for (const item of this.network.items()) {
      if (item.type !== 'virtual_ip' && item.type !== 'user_device') continue;
      for (const address of item.addresses) owners.set(address, item);
    }
    return owners;
  }
}

/** Prefixes that the network routes to; of each, whom it is behind, the preferred one first. */
export function subnetsByPrefix(network: CompiledNetwork): Map<string, SubnetModel[]> {
  const subnets = [...network.items()].filter((item) => item.type === 'subnet_advertisement');
  const known = subnets.filter(({ peerId }) => network.peer(peerId) !== undefined);
  known.sort((a, b) => b.preference - a.preference || (a.id < b.id ? -1 : 1));
  return Map.groupBy(known, ({ prefix }) => prefix);
}
