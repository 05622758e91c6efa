// What `table inet powernode` is to contain. It follows from the document, and from how the machine forwarded before.
import { compileFirewalls } from '@powernode/core/compile/firewall/compile';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { ByFamily } from '../observed.ts';
import { addBridgeChains } from './chains/bridge-chains.ts';
import { addFilterChains } from './chains/filter-chains.ts';
import { addForwardChain } from './chains/forward-chain.ts';
import { addLanChains } from './chains/lan-chains.ts';
import { addLeaseGuardChains } from './chains/lease-guard-chains.ts';
import { addOutsideChain, ownFamilies } from './chains/outside-chain.ts';
import { addPortMappingChains } from './chains/port-forward-chains.ts';
import { TableBuilder } from './chains/table-builder.ts';
import { rulesetIntentOf } from './intent.ts';
import type { Ruleset } from './model.ts';

export interface RulesetFacts {
  /**
   * The machine forwarded nothing of the family before the agent made it. Then it forwards nothing else now either: it
   * must not become a router between its other networks because it is a hub.
   */
  readonly closedOtherwise: ByFamily;
  /** Addresses that are guarded as leased ones are, though the document does not name them. */
  readonly guarded: readonly string[];
  /** Bridges of the machine whose hosts may use its overlays. */
  readonly bridges: readonly string[];
  /** Makes no difference to the outcome, but parts that stay the same are the same objects. */
  readonly previous: Ruleset | null;
}

/**
 * null when nothing is needed: there is no overlay interface. A machine that is no hub gets the table too, because
 * it may forward for other reasons (containers, a LAN), and overlays must not leak into those.
 */
export function rulesetOf(document: NodeDocument, facts: RulesetFacts): Ruleset | null {
  const { closedOtherwise, guarded, bridges, previous } = facts;
  const intent = rulesetIntentOf(document);
  if (intent.interfaces.length === 0) return null;
  const firewalls = compileFirewalls(document, previous?.firewalls ?? null);
  const table = new TableBuilder(previous);
  const bridging = { bridges, families: ownFamilies(intent), hasFirewalls: firewalls.size > 0 };
  addForwardChain(table, { intent, firewalls, closedOtherwise, bridging });
  addLeaseGuardChains(table, { virtualIps: intent.virtualIps, guarded });
  addPortMappingChains(table, intent.mappings);
  addOutsideChain(table, intent, firewalls);
  addFilterChains(table, { intent, firewalls, bridging });
  addLanChains(table, intent, firewalls);
  addBridgeChains(table, bridging);
  return { ...table.built(), firewalls };
}
