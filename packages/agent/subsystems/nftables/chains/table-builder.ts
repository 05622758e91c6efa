// Collects the parts of a table. A part that equals the one of the table before is that one.
import { hash } from 'node:crypto';
import { isSameList } from '@powernode/core/compile/firewall/groups';
import { isSameSet, type NftChain, type NftSet, type Ruleset } from '../model.ts';

export class TableBuilder {
  readonly #previous: Ruleset | null;
  readonly #sets = new Map<string, NftSet>();
  readonly #chains = new Map<string, NftChain>();

  constructor(previous: Ruleset | null) {
    this.#previous = previous;
  }

  built(): Pick<Ruleset, 'sets' | 'chains'> {
    return { sets: this.#sets, chains: this.#chains };
  }

  add(set: NftSet): void {
    if (this.#sets.has(set.name)) throw new Error(`two sets are called ${set.name}`);
    const before = this.#previous?.sets.get(set.name);
    this.#sets.set(set.name, before !== undefined && isSameSet(before, set) ? before : set);
  }

  /** A set without data and without counters. */
  set(name: string, type: string, keys: readonly string[]): void {
    this.members(name, type, new Map([...keys].sort().map((key) => [key, ''])));
  }

  members(name: string, type: string, elements: ReadonlyMap<string, string>): void {
    this.add({ name, kind: 'set', type, data: null, flags: null, counted: false, elements });
  }

  map(
    name: string,
    types: { readonly key: string; readonly data: string },
    elements: NftSet['elements'],
  ): void {
    this.add({ name, kind: 'map', type: types.key, data: types.data, flags: null, counted: false, elements });
  }

  chain(name: string, rules: readonly string[], base: string | null = null): void {
    if (this.#chains.has(name)) throw new Error(`two chains are called ${name}`);
    const before = this.#previous?.chains.get(name);
    if (before?.base === base && isSameList(before.rules, rules)) {
      this.#chains.set(name, before);
      return;
    }
    const mark = hash('sha256', [name, base ?? '', ...rules].join('\n')).slice(0, 16);
    this.#chains.set(name, { name, base, rules, mark });
  }
}
