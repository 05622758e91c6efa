// What `table inet powernode` is to contain. It follows from the document, and from how the machine forwarded before.
import { compileFirewalls } from '@powernode/core/compile/firewall/compile';
import type { EntryValue } from '@powernode/core/wire/document';
import { addDoorChains } from './firewall/door-chains.ts';
import { addForwardChain } from './firewall/forward-chain.ts';
import { addHeldChains } from './firewall/held-chains.ts';
import { addJudgeChains } from './firewall/judge-chains.ts';
import { addOutsideChain } from './firewall/outside-chain.ts';
import { TableBuilder } from './firewall/table-builder.ts';
import { type ByFamily, type RulesetIntent, rulesetIntentOf } from './ruleset-intent.ts';
import type { Ruleset } from './ruleset-model.ts';

export interface RulesetFacts {
  /**
   * The machine forwarded nothing of the family before the agent made it. Then it forwards nothing else now either: it
   * must not become a router between its other networks because it is a hub.
   */
  readonly closedOtherwise: ByFamily;
  /** Addresses that are guarded as leased ones are, though the document does not name them. */
  readonly guarded: readonly string[];
  /** Makes no difference to the outcome, but parts that stay the same are the same objects. */
  readonly previous: Ruleset | null;
}

/**
 * null when nothing is needed: there is no overlay interface. A machine that is no hub gets the table too, because
 * it may forward for other reasons (containers, a LAN), and overlays must not leak into those.
 */
export function rulesetOf(entries: ReadonlyMap<string, EntryValue>, facts: RulesetFacts): Ruleset | null {
  return rulesetFor(rulesetIntentOf(entries.values()), entries, facts);
}

export function rulesetFor(
  intent: RulesetIntent,
  entries: ReadonlyMap<string, EntryValue>,
  { closedOtherwise, guarded, previous }: RulesetFacts,
): Ruleset | null {
  if (intent.interfaces.length === 0) return null;
  const firewalls = compileFirewalls(entries.values(), previous?.firewalls ?? null);
  const table = new TableBuilder(previous);
  addForwardChain(table, { intent, firewalls, closedOtherwise });
  addHeldChains(table, { virtualIps: intent.virtualIps, guarded });
  addDoorChains(table, intent.mappings);
  addOutsideChain(table, intent);
  addJudgeChains(table, { intent, firewalls });
  return { ...table.built(), firewalls };
}
