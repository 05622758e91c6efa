// A table of rules as data: sets, maps and chains. As text: text.ts; as it was observed: observed.ts.
import type { Firewalls } from '@powernode/core/compile/firewall/compile';

export const tableName = 'powernode';

export interface NftSet {
  readonly name: string;
  readonly kind: 'set' | 'map';
  /** As nft says it, such as `ipv6_addr . inet_proto`. */
  readonly type: string;
  /** What keys of a map lead to; null: a set. */
  readonly data: string | null;
  readonly flags: 'interval' | 'timeout' | null;
  /** Each element counts, and says in its comment which rule it is for. */
  readonly counted: boolean;
  /** Key and what is said of it: where a map leads, the rule of a counted set, else nothing. null: not the plan's. */
  readonly elements: ReadonlyMap<string, string> | null;
}

export interface NftChain {
  readonly name: string;
  /** `filter hook forward priority 0`; null: other chains lead here. */
  readonly base: string | null;
  readonly rules: readonly string[];
  /** Each rule carries it as its comment, so that a look shows whose rules are in the kernel. */
  readonly mark: string;
}

export interface Ruleset {
  readonly sets: ReadonlyMap<string, NftSet>;
  readonly chains: ReadonlyMap<string, NftChain>;
  /** What it was made from, for making the next one. */
  readonly firewalls: Firewalls;
}

/** Whether both are declared alike. */
export function isSameKind(a: NftSet, b: NftSet): boolean {
  return (
    a.kind === b.kind &&
    a.type === b.type &&
    a.data === b.data &&
    a.flags === b.flags &&
    a.counted === b.counted
  );
}

export function isSameSet(a: NftSet, b: NftSet): boolean {
  if (a === b) return true;
  return (
    isSameKind(a, b) && (a.elements === null || b.elements === null || isSameMap(a.elements, b.elements))
  );
}

export function isSameMap(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}

export function isSameRuleset(a: Ruleset, b: Ruleset): boolean {
  if (a === b) return true;
  if (a.sets.size !== b.sets.size || a.chains.size !== b.chains.size) return false;
  for (const [name, set] of a.sets) {
    const other = b.sets.get(name);
    if (other === undefined || !isSameSet(set, other)) return false;
  }
  for (const [name, chain] of a.chains) if (b.chains.get(name)?.mark !== chain.mark) return false;
  return true;
}
