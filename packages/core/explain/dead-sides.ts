// Rules that match nothing: a deleted object, an unused tag, a block without an address of the network.
import { hostAddressesOf, prefixesOf } from '../compile/entries.ts';
import { memberOf, ruleSideOf } from '../compile/items/index.ts';
import type { Item, NetworkModel, PeerModel, RuleModel, Selector } from '../compile/model.ts';
import { type Family, parseAddress, widthOf } from '../net/address.ts';
import { overlaps, type Prefix, parsePrefix } from '../net/prefix.ts';
import { type Finding, ruleNamed } from './findings.ts';
import type { NameOf } from './trace.ts';

/** The parts of a network that an audit looks at. */
export interface AuditedNetwork {
  readonly network: NetworkModel;
  peer(id: string): PeerModel | undefined;
  peers(): Iterable<PeerModel>;
  item(id: string): Item | undefined;
  items(): Iterable<Item>;
}

/** The types of items that a rule may name. */
type ItemSide = Item['type'] & Extract<Selector, { readonly id: string }>['kind'];

interface DeadSide {
  readonly severity: Finding['severity'];
  readonly why: (nameOf: NameOf) => string;
}

export class DeadSides {
  readonly #network: AuditedNetwork;
  readonly #prefixes: readonly Prefix[];
  readonly #tags = new Set<string>();
  #addresses: Record<Family, readonly bigint[]> | null = null;

  constructor(network: AuditedNetwork) {
    this.#network = network;
    this.#prefixes = prefixesOf(network.network).flatMap((text) => parsePrefix(text) ?? []);
    for (const peer of network.peers()) for (const tag of peer.tags) this.#tags.add(tag);
    for (const item of network.items()) {
      for (const tag of memberOf(item)?.tags ?? []) this.#tags.add(tag);
    }
  }

  /** null: both sides match something. */
  ofRule(rule: RuleModel): Finding | null {
    for (const side of ['selector', 'destination'] as const) {
      const dead = this.#ofSide(rule[side]);
      if (dead === null) continue;
      const detail = (nameOf: NameOf) => `It matches nothing: its ${side} names ${dead.why(nameOf)}.`;
      return { kind: 'dead', severity: dead.severity, object: ruleNamed(rule.id), by: null, detail };
    }
    return null;
  }

  #ofSide(side: Selector): DeadSide | null {
    switch (side.kind) {
      case 'all':
        return null;
      case 'peer':
        return this.#network.peer(side.id) === undefined ? deleted('a peer') : null;
      case 'federation_peer':
        return deleted('a federation peer');
      case 'tag':
        return this.#tags.has(side.tag) ? null : unused(`the tag ${side.tag}, which nothing uses`);
      case 'cidr':
        return this.#ofBlock(side.cidr);
      default:
        return this.#ofItem(side.kind, side.id);
    }
  }

  #ofItem(type: ItemSide, id: string): DeadSide | null {
    const kind = ruleSideOf(type);
    const noun = kind?.noun ?? 'an object';
    const item = this.#network.item(id);
    if (item?.type !== type) return deleted(noun);
    const unmatched = kind?.whyUnmatched?.(item, this.#network) ?? null;
    if (unmatched === null) return null;
    const named = noun.replace(/^an? /, 'the ');
    return { severity: 'warning', why: (nameOf) => `${named} ${nameOf({ type, id })}, ${unmatched}` };
  }

  #ofBlock(text: string): DeadSide | null {
    const block = parsePrefix(text);
    if (block === null) return deleted('a block');
    if (!this.#prefixes.some((prefix) => overlaps(prefix, block))) {
      const why = () => `${text}, which is outside ${prefixesOf(this.#network.network).join(' and ')}`;
      return { severity: 'warning', why };
    }
    return this.#isInUse(block) ? null : unused(`${text}, in which nothing has an address`);
  }

  #isInUse(block: Prefix): boolean {
    this.#addresses ??= this.#allAddresses();
    const list = this.#addresses[block.family];
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((list[middle] ?? 0n) < block.bits) low = middle + 1;
      else high = middle;
    }
    const first = list[low];
    return first !== undefined && first < block.bits + (1n << BigInt(widthOf[block.family] - block.length));
  }

  #allAddresses(): Record<Family, readonly bigint[]> {
    const all: Record<Family, bigint[]> = { 4: [], 6: [] };
    const add = (addresses: readonly string[]) => {
      for (const text of addresses) {
        const address = parseAddress(text);
        if (address !== null) all[address.family].push(address.bits);
      }
    };
    for (const peer of this.#network.peers()) add(hostAddressesOf(peer));
    for (const item of this.#network.items()) if ('addresses' in item) add(item.addresses);
    for (const list of Object.values(all)) list.sort((a, b) => (a < b ? -1 : 1));
    return all;
  }
}

function deleted(what: string): DeadSide {
  return { severity: 'warning', why: () => `${what} that was deleted` };
}

/** The rule may match something later. */
function unused(what: string): DeadSide {
  return { severity: 'info', why: () => what };
}
