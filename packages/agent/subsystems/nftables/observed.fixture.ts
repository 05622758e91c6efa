// Test support: what is seen of a table right after it was loaded, and whether a kernel has the rules.
import { isSameRuleset, type Ruleset } from './model.ts';
import { isUntouched, type ObservedRuleset } from './observed.ts';

/** Whether the kernel has the rules, as far as was looked, and beyond that as far as is known from loading them. */
export function isLoaded(wanted: Ruleset, seen: ObservedRuleset | null): boolean {
  return seen?.loaded != null && isSameRuleset(wanted, seen.loaded) && isUntouched(wanted, seen);
}

/** What is seen right after it was loaded. */
export function asLoaded(ruleset: Ruleset): ObservedRuleset {
  return {
    loaded: ruleset,
    chains: new Map(
      [...ruleset.chains].map(([name, { base, rules, mark }]) => [
        name,
        { base, rules: { count: rules.length, mark: rules.length > 0 ? mark : null } },
      ]),
    ),
    sets: new Map(
      [...ruleset.sets].map(([name, { kind, type, data, elements }]) => [
        name,
        { kind, type, data, elements },
      ]),
    ),
    others: [],
  };
}
