// The table of rules as it was seen on the machine, and whether that is what it should be. Texts are not compared:
// listings differ between versions of nft.
import { isSameMap, type NftSet, type Ruleset } from './model.ts';

export interface ObservedRuleset {
  /** What this process loaded last; null: nothing yet. */
  readonly loaded: Ruleset | null;
  readonly chains: ReadonlyMap<string, ObservedChain>;
  readonly sets: ReadonlyMap<string, ObservedSet>;
  /** Things of other kinds in it, which nobody but somebody else can have put there. */
  readonly others: readonly string[];
}

export interface ObservedChain {
  /** As NftChain.base. */
  readonly base: string | null;
  /** `mark`: what each of its rules carries; null: they do not, or not all, or there are none. null: not looked at. */
  readonly rules: { readonly count: number; readonly mark: string | null } | null;
}

export interface ObservedSet {
  readonly kind: NftSet['kind'];
  readonly type: string;
  readonly data: string | null;
  /** As NftSet.elements. null: not looked at. */
  readonly elements: ReadonlyMap<string, string> | null;
}

/** Whether what was seen is what was loaded. */
export function isUntouched(loaded: Ruleset, seen: ObservedRuleset): boolean {
  if (seen.others.length > 0) return false;
  if (seen.chains.size !== loaded.chains.size || seen.sets.size !== loaded.sets.size) return false;
  for (const [name, chain] of loaded.chains) {
    const found = seen.chains.get(name);
    if (found === undefined || found.base !== chain.base) return false;
    if (found.rules === null) continue;
    if (found.rules.count !== chain.rules.length) return false;
    if (found.rules.count > 0 && found.rules.mark !== chain.mark) return false;
  }
  for (const [name, set] of loaded.sets) {
    const found = seen.sets.get(name);
    if (found?.kind !== set.kind || found.type !== set.type || found.data !== set.data) return false;
    if (found.elements !== null && set.elements !== null && !isSameMap(found.elements, set.elements))
      return false;
  }
  return true;
}
