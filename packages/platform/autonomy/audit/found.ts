// What an audit finds in the networks of one account: the same as the actions that audit, with names, the gravest first.
import { auditRules } from '@powernode/core/explain/audit';
import { auditTargets } from '@powernode/core/explain/audit-targets';
import type { Finding as FirewallFinding } from '@powernode/core/explain/findings';
import {
  type AuditFindingKind,
  auditFindingKinds,
  type Finding,
  type FoundObject,
} from '@powernode/core/intent/findings';
import { findingsPerAccountMax } from '@powernode/core/limits/coordination';
import type { ActionContext, Services } from '../../actions/context.ts';
import { withNames } from '../../actions/sdwan/firewall/names.ts';
import { inSlices } from '../../actions/sdwan/firewall/slices.ts';
import { findingsOf, routingFacts } from '../../actions/sdwan/routing/routing-facts.ts';

export interface Found {
  readonly networkId: string;
  readonly kind: AuditFindingKind;
  readonly severity: Finding['severity'];
  /** What makes it the same finding as one before: its kind and its object. */
  readonly mark: string;
  readonly object: FoundObject;
  readonly cause: FoundObject | null;
  readonly detail: string;
}

/** By network. */
export type FirewallFindings = ReadonlyMap<string, readonly FirewallFinding[]>;

/** Of the networks as delivery has them: long work in memory, for which no transaction has to wait. */
export async function firewallFindings(
  deliverer: Services['deliverer'],
  networkIds: readonly string[],
): Promise<FirewallFindings> {
  const found = new Map<string, readonly FirewallFinding[]>();
  for (const id of networkIds) {
    const index = deliverer.network(id);
    if (index === undefined) continue;
    const targets = auditTargets(index);
    found.set(id, [...targets, ...(await inSlices(auditRules(index)))]);
  }
  return found;
}

/** Everything that is wrong with the networks. */
export async function allFound(context: ActionContext, firewalls: FirewallFindings): Promise<Found[]> {
  const found: Found[] = [];
  for (const [networkId, findings] of firewalls) {
    found.push(...(await policiesFound(context, networkId)));
    found.push(...(await rulesFound(context, networkId, findings)));
  }
  const byMark = new Map(found.toReversed().map((one) => [`${one.networkId} ${one.mark}`, one]));
  return [...byMark.values()]
    .toSorted((a, b) => gravity(a) - gravity(b) || (a.mark < b.mark ? -1 : 1))
    .slice(0, findingsPerAccountMax);
}

async function policiesFound(context: ActionContext, networkId: string): Promise<Found[]> {
  const facts = await routingFacts(context, networkId);
  if (facts.rows.length === 0) return [];
  const names = new Map(facts.rows.map(({ id, name }) => [id, name]));
  return findingsOf(facts).map(({ kind, severity, object, by, detail }) => {
    const named = (one: typeof object) => ({ ...one, name: names.get(one.id) ?? one.id });
    const found = { networkId, severity, object: named(object), cause: by === null ? null : named(by) };
    return marked({
      ...found,
      kind: kindOf('route_policy', kind),
      detail: `Statement ${object.seq}: ${detail}`,
    });
  });
}

function rulesFound(
  context: ActionContext,
  networkId: string,
  findings: readonly FirewallFinding[],
): Promise<Found[]> {
  return withNames(context, (nameOf) =>
    findings.map(({ kind, severity, object, by, detail }) =>
      marked({
        networkId,
        kind: kindOf(object.type, kind),
        severity,
        object: { ...object, name: nameOf(object) },
        cause: by === null ? null : { ...by, name: nameOf(by) },
        detail: detail(nameOf),
      }),
    ),
  );
}

function marked(found: Omit<Found, 'mark'>): Found {
  const { kind, object } = found;
  return { ...found, mark: [kind, object.id, ...(object.seq === undefined ? [] : [object.seq])].join(' ') };
}

function kindOf(type: string, what: string): AuditFindingKind {
  const name = `sdwan.${type}_${what}`;
  const kind = auditFindingKinds.find((one) => one === name);
  if (kind === undefined) throw new Error(`there is no kind of finding ${name}`);
  return kind;
}

function gravity({ severity }: Pick<Found, 'severity'>): number {
  return { error: 0, warning: 1, info: 2 }[severity];
}
