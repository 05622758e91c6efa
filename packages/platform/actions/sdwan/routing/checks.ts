// Whether a policy may be written, and what of it does nothing today.
import { ProductError } from '@powernode/core/errors';
import type { RoutingWarning } from '@powernode/core/intent/bgp';
import type { PolicyStatement } from '@powernode/core/intent/route-policy';
import { routingWarningsMax } from '@powernode/core/limits/routing';
import { referenceFaults } from '@powernode/core/routing/references';
import type { ActionContext } from '../../context.ts';
import type { NetworkRow } from '../rows.ts';
import { findingsOf, type RoutingFacts, routingFacts } from './routing-facts.ts';

/** Refuses statements that name what is not there, with every place. */
export function refuseUnfitStatements(statements: readonly PolicyStatement[], facts: RoutingFacts): void {
  const faults = referenceFaults(statements, { as_number: facts.asNumber, peers: facts.addresses });
  const [first] = faults;
  if (first === undefined) return;
  throw new ProductError('validation_failed', `${first.path} ${first.message}.`, { fields: faults });
}

/** Of a policy that is written: notes of the plan too. */
export async function warnOf(
  context: ActionContext,
  network: NetworkRow,
  policyId: string,
): Promise<RoutingWarning[]> {
  const warnings = warningsOf(network, await routingFacts(context, network.id), policyId);
  for (const { code, detail } of warnings) context.note(code, detail);
  return warnings;
}

export function warningsOf(network: NetworkRow, facts: RoutingFacts, policyId: string): RoutingWarning[] {
  const found = findingsOf(facts)
    .filter(({ object }) => object.id === policyId)
    .map(({ kind, object, detail }) => ({ code: kind, detail: `Statement ${object.seq}: ${detail}` }));
  return [...staticWarnings(network), ...found].slice(0, routingWarningsMax);
}

function staticWarnings({ name, routing_mode: mode }: NetworkRow): RoutingWarning[] {
  if (mode === 'ibgp') return [];
  const detail = `The routing_mode of "${name}" is static: route policies are kept and act once it is ibgp.`;
  return [{ code: 'routing_mode_static', detail }];
}
