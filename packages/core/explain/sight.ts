// What explaining looks at: a network as the compiler holds it, the documents of its nodes, and whose each address is.

import { hostAddressesOf, prefixesOf } from '../compile/entries.ts';
import type { Item, NetworkModel, PeerModel, UserDeviceModel, VirtualIpModel } from '../compile/model.ts';
import { usableEntries } from '../compile/usable.ts';
import { contains, hostMask, type Prefix, parsePrefix } from '../net/prefix.ts';
import { probeHostNumberFirst } from '../net/probe-address.ts';
import type { UnreachableCode } from '../presence/judge.ts';
import { type EntryValue, entryKey } from '../wire/document.ts';
import { NodeDocument } from '../wire/node-document.ts';
import type { NodeProblem } from '../wire/node-problems.ts';
import { NodeView } from './node-view.ts';
import { type Spot, spotOf } from './prefix-map.ts';
import { type GroupsOf, groupsOfAddresses } from './rule-index.ts';

/** The part of the fast compiler that is asked. */
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

/** What a peer's machine says is wrong with it in the network, the worst first. */
export type ProblemsOf = (peerId: string) => readonly NodeProblem[];

/** Whether a peer is reached now, and why not; null: nothing is known. */
export type PresenceOf = (peerId: string) => PresenceSeen | null;

export interface PresenceSeen {
  readonly reachable: boolean | null;
  readonly because: { readonly code: UnreachableCode; readonly detail: string } | null;
}

/** What is known of the present, beside what nodes are to be. */
export interface Present {
  readonly problemsOf?: ProblemsOf;
  readonly presenceOf?: PresenceOf;
}

export class Sight {
  readonly network: CompiledNetwork;
  readonly problemsOf: ProblemsOf;
  readonly presenceOf: PresenceOf;
  readonly #nodes = new Map<string, NodeView>();
  readonly #prefixes: readonly Prefix[];
  readonly #spots = new Map<string, Spot | null>();
  #owners: Map<string, Owner> | null = null;
  #groupsOf: GroupsOf | null = null;

  constructor(network: CompiledNetwork, present: Present = {}) {
    this.network = network;
    this.problemsOf = present.problemsOf ?? (() => []);
    this.presenceOf = present.presenceOf ?? (() => null);
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
  spot(text: string): Spot | null {
    const known = this.#spots.get(text);
    if (known !== undefined) return known;
    const spot = spotOf(text);
    this.#spots.set(text, spot);
    return spot;
  }

  owner(spot: Spot): Owner | undefined {
    this.#owners ??= this.#allOwners();
    return this.#owners.get(spot.text);
  }

  isInside(spot: Spot): boolean {
    return this.#prefixes.some((prefix) => contains(prefix, spot));
  }

  /** Whether it is one of the addresses at which agents answer each other's probes. */
  isProbeAddress(spot: Spot): boolean {
    const prefix = this.#prefixes.find((one) => contains(one, spot));
    return prefix?.family === 6 && (spot.bits & hostMask(prefix)) >= probeHostNumberFirst;
  }

  /** The peers that answer for a virtual IP, or would; the first is the one that packets go to. */
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
