// What differs of the table of rules.
import { withoutLength } from '@powernode/core/net/address';
import type { PlanInput, PlannedSteps, Scope } from '../subsystem.ts';
import { addressesOf, virtualSets } from './chains/lease-guard-chains.ts';
import { isSameRuleset, type Ruleset } from './model.ts';
import { isUntouched } from './observed.ts';
import { rulesetOf } from './ruleset.ts';
import type { RulesetStep } from './steps.ts';

const rulesetKinds: ReadonlySet<string> = new Set([
  'interface',
  'forwarding',
  'virtual_ip',
  'firewall',
  'rule',
  'member',
  'device',
  'port_mapping',
  'subnet',
  'lan',
  'pods',
  'bgp',
  'bgp_neighbor',
]);

type Input = Pick<PlanInput, 'document' | 'observed' | 'scope' | 'forwardingHeld' | 'bridges'>;

/** Rules are loaded before what they guard is set, and lose what they need no more when everything is. */
export function planRuleset(input: Input): PlannedSteps {
  const { document, observed, forwardingHeld } = input;
  if (!concernsRuleset(input.scope)) return {};
  const closedOtherwise = {
    ipv6: forwardingHeld.ipv6 || !observed.forwarding.ipv6,
    ipv4: forwardingHeld.ipv4 || !observed.forwarding.ipv4,
  };
  const loaded = observed.ruleset?.loaded ?? null;
  const guarded = addressesToGuard(input);
  const facts = { closedOtherwise, bridges: input.bridges ?? [], previous: loaded };
  const first = rulesetOf(document, { ...facts, guarded });
  if (first === null) return { finish: observed.ruleset === null ? [] : [{ kind: 'remove_ruleset' }] };
  const last = guarded.length === 0 ? first : rulesetOf(document, { ...facts, guarded: [] });
  const isGuardLeft = last === null || isSameRuleset(first, last);
  return {
    apply: setRuleset(input, first),
    finish: isGuardLeft ? [] : [{ kind: 'set_ruleset', ruleset: last, how: 'change' }],
  };
}

/** Whole when it is not known what is there, or somebody has changed it. */
function setRuleset({ observed }: Input, ruleset: Ruleset): RulesetStep[] {
  const loaded = observed.ruleset?.loaded ?? null;
  if (observed.ruleset === null || loaded === null || !isUntouched(loaded, observed.ruleset)) {
    return [{ kind: 'set_ruleset', ruleset, how: 'whole' }];
  }
  return isSameRuleset(ruleset, loaded) ? [] : [{ kind: 'set_ruleset', ruleset, how: 'change' }];
}

/**
 * Leased addresses that the document does not name any more, and that the machine still has: until they are gone from
 * its interfaces, nobody but the guard keeps it from answering for them.
 */
function addressesToGuard({ document, observed }: Input): string[] {
  const named = new Set([...document.all('virtual_ip').values()].flatMap(addressesOf));
  const guarded = Object.values(virtualSets).flatMap((name) => [
    ...(observed.ruleset?.sets.get(name)?.elements?.keys() ??
      observed.ruleset?.loaded?.sets.get(name)?.elements?.keys() ??
      []),
  ]);
  const candidates = guarded.filter((address) => !named.has(address));
  if (candidates.length === 0) return [];
  const present = new Set<string>();
  for (const one of observed.interfaces.values()) {
    for (const address of one.addresses) present.add(withoutLength(address));
  }
  return candidates.filter((address) => present.has(address));
}

/** Whether the table of rules, or whether the machine forwards, follows from entries in the scope. */
export function concernsRuleset(scope: Scope): boolean {
  if (scope === 'all') return true;
  for (const key of scope) if (rulesetKinds.has(key.split('/', 1)[0] ?? '')) return true;
  return false;
}
