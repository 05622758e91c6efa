// Handlers: the text that policies compile to, what is wrong with them, and what a policy would do before it is saved.
import { ProductError } from '@powernode/core/errors';
import type { RouteChangeShown } from '@powernode/core/intent/bgp';
import { auditFindingsMax } from '@powernode/core/limits/overlay';
import { previewChangesMax, previewStepsMax } from '@powernode/core/limits/routing';
import type { AuditedStatement, PolicyFinding } from '@powernode/core/routing/audit';
import { configText } from '@powernode/core/routing/config-lines';
import { policyEffect, type SeenRoute } from '@powernode/core/routing/policy-effect';
import { renderPolicies } from '@powernode/core/routing/render';
import type { ActionContext, HandlersOf, Input } from '../../context.ts';
import { type NetworkRow, networkRow, peerRow } from '../rows.ts';
import { refuseUnfitStatements, warningsOf } from './checks.ts';
import type { RoutePolicyRow } from './model.ts';
import { policyRow } from './route-policies.ts';
import { routedNetwork, shownAttributes } from './routes.ts';
import { findingsOf, peersByAddress, policyOf, type RoutingFacts, routingFacts } from './routing-facts.ts';

/** Of a new policy in a preview, inside of this file: it acts after all that there are, which are in the order of ids. */
const newPolicyId = 'ffffffff-ffff-7fff-bfff-ffffffffffff';

export const compiledPolicyHandlers: HandlersOf<'compileRoutePolicy' | 'auditRoutePolicies'> = {
  async compileRoutePolicy(context, input) {
    const peer = await peerRow(context, input.peer_id);
    const network = await networkRow(context, peer.network_id);
    const saved = await routingFacts(context, network.id);
    const changed = await changedPolicy(context, network, input);
    const preview = previewOf(input, changed, saved);
    const facts = preview ?? saved;
    const id = changed?.id ?? newPolicyId;
    const about = preview === null ? [] : findingsOf(facts).filter(({ object, by }) => isOf(id, object, by));
    return {
      peer_id: peer.id,
      text: configText(renderPolicies(facts.policies, facts.asNumber)),
      warnings: warningsOf(network, facts, id),
      findings: shownFindings(about, facts.rows),
      ...(preview === null
        ? { effect: [], effect_complete: true }
        : await effectOf(context, { network, first: peer.host_address, saved, preview })),
    };
  },

  async auditRoutePolicies(context, input) {
    const network = await networkRow(context, input.network_id);
    const facts = await routingFacts(context, network.id);
    const all = findingsOf(facts);
    const findings = shownFindings(all, facts.rows);
    return {
      findings,
      count: all.length,
      truncated: findings.length < all.length,
      statements_count: facts.rows.reduce((sum, { statements }) => sum + statements.length, 0),
    };
  },
};

/** The policy that a preview is of; null: it is a new one. */
async function changedPolicy(
  context: ActionContext,
  network: NetworkRow,
  { route_policy_id: id }: Input<'compileRoutePolicy'>,
): Promise<RoutePolicyRow | null> {
  if (id === undefined) return null;
  const row = await policyRow(context, id);
  if (row.network_id === network.id) return row;
  const message = `is a policy of another network than the peer: write one of "${network.name}"`;
  throw new ProductError('validation_failed', `route_policy_id ${message}.`, {
    fields: [{ path: 'route_policy_id', code: 'invalid', message }],
  });
}

/** The policies as they would be; null: nothing else than what is saved is asked about. */
function previewOf(
  input: Input<'compileRoutePolicy'>,
  changed: RoutePolicyRow | null,
  saved: RoutingFacts,
): RoutingFacts | null {
  if (input.statements === undefined && input.direction === undefined) return null;
  const direction = input.direction ?? changed?.direction;
  const statements = input.statements ?? changed?.statements;
  if (statements === undefined || direction === undefined) {
    const path = statements === undefined ? 'statements' : 'direction';
    throw new ProductError('validation_failed', 'A preview needs direction and statements: give both.', {
      fields: [{ path, code: 'required', message: 'is needed for a preview' }],
    });
  }
  if (input.statements !== undefined) refuseUnfitStatements(input.statements, saved);
  const policy = policyOf({ id: changed?.id ?? newPolicyId, direction, statements }, saved.addresses);
  if (changed === null) return { ...saved, policies: [...saved.policies, policy] };
  return {
    ...saved,
    rows: saved.rows.map((row) => (row.id === changed.id ? { ...row, direction, statements } : row)),
    policies: saved.policies.map((one) => (one.route_policy_id === changed.id ? policy : one)),
  };
}

/** By the network as it is now; with static routes policies rest. `first`: the address of the peer that matters most. */
async function effectOf(
  context: ActionContext,
  of: {
    readonly network: NetworkRow;
    readonly first: string;
    readonly saved: RoutingFacts;
    readonly preview: RoutingFacts;
  },
): Promise<{ readonly effect: RouteChangeShown[]; readonly effect_complete: boolean }> {
  const { network, first, saved, preview } = of;
  if (network.routing_mode === 'static') return { effect: [], effect_complete: true };
  const { changes, isComplete } = policyEffect({
    network: await routedNetwork(context, network.id, saved),
    policies: preview.policies,
    subnets: saved.subnets,
    peers: [first, ...[...saved.addresses.values()].filter((address) => address !== first).sort()],
    limits: { steps: previewStepsMax, changes: previewChangesMax },
  });
  const peerOf = peersByAddress(saved);
  const idOf = (address: string) => peerOf.get(address) ?? '';
  const shown = ({ announcer, attributes, denied }: SeenRoute) => ({
    via_peer_id: announcer === null ? null : idOf(announcer),
    attributes: attributes === null ? null : shownAttributes(attributes),
    denied_peer_ids: denied.map(idOf),
  });
  const effect = changes.map(({ prefix, peers, before, after }) => ({
    prefix,
    peer_id: idOf(peers[0] ?? ''),
    peers_count: peers.length,
    before: shown(before),
    after: shown(after),
  }));
  return { effect, effect_complete: isComplete };
}

function isOf(policyId: string, object: AuditedStatement, by: AuditedStatement | null): boolean {
  return object.id === policyId || by?.id === policyId;
}

/** Warnings first, as many as an answer has. */
function shownFindings(findings: readonly PolicyFinding[], rows: readonly RoutePolicyRow[]) {
  return findings
    .toSorted((a, b) => gravity(a.severity) - gravity(b.severity))
    .slice(0, auditFindingsMax)
    .map(({ object, by, ...rest }) => ({
      ...rest,
      object: named(object, rows),
      by: by === null ? null : named(by, rows),
    }));
}

function gravity(severity: 'info' | 'warning'): number {
  return severity === 'warning' ? 0 : 1;
}

function named(statement: AuditedStatement, rows: readonly RoutePolicyRow[]) {
  if (statement.id === newPolicyId) return { ...statement, id: null, name: 'the preview' };
  const name = rows.find(({ id }) => id === statement.id)?.name;
  return { ...statement, name: name ?? statement.id };
}
