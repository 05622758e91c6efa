// What differs of the table of rules, and of the settings that make the machine forward. Part of the plan (plan.ts).

import { withoutLength } from '@powernode/core/net/address';
import { addressesOf, virtualSets } from './firewall/held-chains.ts';
import type { PlanInput } from './plan.ts';
import { rulesetFor } from './ruleset.ts';
import { type ByFamily, forwardedFamilies, type RulesetIntent, rulesetIntentOf } from './ruleset-intent.ts';
import type { Ruleset } from './ruleset-model.ts';
import { isSameRuleset } from './ruleset-model.ts';
import { isUntouched } from './ruleset-seen.ts';
import type { Step } from './step.ts';

/** Steps that come before interfaces and routes are touched, and those that come after. */
export interface ForwardingSteps {
  readonly before: readonly Step[];
  readonly after: readonly Step[];
}

const rulesetKinds: ReadonlySet<string> = new Set([
  'interface',
  'forwarding',
  'virtual_ip',
  'firewall',
  'rule',
  'member',
  'device',
  'port_mapping',
]);

export type ForwardingInput = Pick<PlanInput, 'entries' | 'seen' | 'scope' | 'forwardingHeld'>;

export function planForwarding(input: ForwardingInput): ForwardingSteps {
  if (!concernsRuleset(input.scope)) return { before: [], after: [] };
  const intent = rulesetIntentOf(input.entries.values());
  const forwarding = planSettings(input, forwardedFamilies(intent));
  const closedOtherwise = {
    ipv6: input.forwardingHeld.ipv6 || !input.seen.forwarding.ipv6,
    ipv4: input.forwardingHeld.ipv4 || !input.seen.forwarding.ipv4,
  };
  const loaded = input.seen.ruleset?.loaded ?? null;
  const guarded = addressesToGuard(input, intent);
  const facts = { closedOtherwise, previous: loaded };
  const first = rulesetFor(intent, input.entries, { ...facts, guarded });
  if (first === null) {
    const gone: Step[] = input.seen.ruleset === null ? [] : [{ kind: 'remove_ruleset' }];
    return { before: [], after: [...forwarding, ...gone] };
  }
  const before = setRuleset(input, first);
  const last = guarded.length === 0 ? first : rulesetFor(intent, input.entries, { ...facts, guarded: [] });
  const after: Step[] =
    last === null || isSameRuleset(first, last)
      ? []
      : [{ kind: 'set_ruleset', ruleset: last, how: 'change' }];
  return { before, after: [...forwarding, ...after] };
}

/** Whole when it is not known what is there, or somebody has changed it. */
function setRuleset({ seen }: ForwardingInput, ruleset: Ruleset): Step[] {
  const loaded = seen.ruleset?.loaded ?? null;
  if (seen.ruleset === null || loaded === null || !isUntouched(loaded, seen.ruleset)) {
    return [{ kind: 'set_ruleset', ruleset, how: 'whole' }];
  }
  return isSameRuleset(ruleset, loaded) ? [] : [{ kind: 'set_ruleset', ruleset, how: 'change' }];
}

/**
 * Leased addresses that the document does not name any more, and that the machine still has: until they are gone from
 * its interfaces, nobody but the guard keeps it from answering for them.
 */
function addressesToGuard({ seen }: ForwardingInput, intent: RulesetIntent): string[] {
  const named = new Set(intent.virtualIps.flatMap(addressesOf));
  const guarded = Object.values(virtualSets).flatMap((name) => [
    ...(seen.ruleset?.sets.get(name)?.elements?.keys() ??
      seen.ruleset?.loaded?.sets.get(name)?.elements?.keys() ??
      []),
  ]);
  const candidates = guarded.filter((address) => !named.has(address));
  if (candidates.length === 0) return [];
  const present = new Set<string>();
  for (const one of seen.interfaces.values()) {
    for (const address of one.addresses) present.add(withoutLength(address));
  }
  return candidates.filter((address) => present.has(address));
}

function planSettings({ seen, forwardingHeld }: ForwardingInput, needed: ByFamily): Step[] {
  return (['ipv6', 'ipv4'] as const).flatMap((family): Step[] => {
    if (needed[family] && !seen.forwarding[family]) return [{ kind: 'start_forwarding', family }];
    return !needed[family] && forwardingHeld[family] ? [{ kind: 'stop_forwarding', family }] : [];
  });
}

function concernsRuleset(scope: PlanInput['scope']): boolean {
  if (scope === 'all') return true;
  for (const key of scope) if (rulesetKinds.has(key.split('/', 1)[0] ?? '')) return true;
  return false;
}
