// Handlers: the text that policies compile to, and what is wrong with them.
import { ProductError } from '@powernode/core/errors';
import { auditFindingsMax } from '@powernode/core/limits/overlay';
import type { AuditedStatement } from '@powernode/core/routing/audit';
import { configText } from '@powernode/core/routing/config-lines';
import { renderPolicies } from '@powernode/core/routing/render';
import type { HandlersOf, Input } from '../../context.ts';
import { networkRow, peerRow } from '../rows.ts';
import { refuseUnfitStatements, warningsOf } from './checks.ts';
import type { RoutePolicyRow } from './model.ts';
import { findingsOf, policyOf, type RoutingFacts, routingFacts } from './routing-facts.ts';

export const compiledPolicyHandlers: HandlersOf<'compileRoutePolicy' | 'auditRoutePolicies'> = {
  async compileRoutePolicy(context, input) {
    const peer = await peerRow(context, input.peer_id);
    const network = await networkRow(context, peer.network_id);
    const saved = await routingFacts(context, network.id);
    const preview = previewOf(input, saved);
    const facts = preview ?? saved;
    return {
      peer_id: peer.id,
      text: configText(renderPolicies(facts.policies, facts.asNumber)),
      warnings: warningsOf(network, facts, previewId),
    };
  },

  async auditRoutePolicies(context, input) {
    const network = await networkRow(context, input.network_id);
    const facts = await routingFacts(context, network.id);
    const all = findingsOf(facts).toSorted((a, b) => gravity(a.severity) - gravity(b.severity));
    const findings = all.slice(0, auditFindingsMax).map(({ object, by, ...rest }) => ({
      ...rest,
      object: named(object, facts.rows),
      by: by === null ? null : named(by, facts.rows),
    }));
    return {
      findings,
      count: all.length,
      truncated: findings.length < all.length,
      statements_count: facts.rows.reduce((sum, { statements }) => sum + statements.length, 0),
    };
  },
};

/** The id of a policy that is not saved: after all that are. */
const previewId = 'ffffffff-ffff-7fff-bfff-ffffffffffff';

function previewOf(
  { direction, statements }: Input<'compileRoutePolicy'>,
  saved: RoutingFacts,
): RoutingFacts | null {
  if (statements === undefined && direction === undefined) return null;
  if (statements === undefined || direction === undefined) {
    const path = statements === undefined ? 'statements' : 'direction';
    throw new ProductError('validation_failed', 'A preview needs direction and statements: give both.', {
      fields: [{ path, code: 'required', message: 'is needed for a preview' }],
    });
  }
  refuseUnfitStatements(statements, saved);
  const policy = policyOf({ id: previewId, direction, statements }, saved.addresses);
  return { ...saved, policies: [...saved.policies, policy] };
}

function gravity(severity: 'info' | 'warning'): number {
  return severity === 'warning' ? 0 : 1;
}

function named(statement: AuditedStatement, rows: readonly RoutePolicyRow[]) {
  return { ...statement, name: rows.find(({ id }) => id === statement.id)?.name ?? statement.id };
}
