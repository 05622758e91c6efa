// Route policies: all nodes of a network that speaks BGP have all of them.
import { resolved } from '../../routing/references.ts';
import type { EntryValue } from '../../wire/document.ts';
import type { RoutePolicyEntry } from '../../wire/routing-entries.ts';
import { unaffected } from '../entry-kind.ts';
import type { RoutePolicyModel } from '../model.ts';
import { staysAsChanged } from '../take-back.ts';
import { type ItemContribution, type ItemKind, type Lookup, noContribution } from './kind.ts';

export const routePolicy = {
  contribution: routePolicyContribution,
  entryKinds: { route_policy: { ...unaffected, describe, rollBack: staysAsChanged } },
} satisfies ItemKind<RoutePolicyModel>;

function routePolicyContribution(item: RoutePolicyModel, lookup: Lookup): ItemContribution {
  if (lookup.network.asNumber === undefined) return noContribution;
  const statements = resolved(item.statements, (id) => lookup.peer(id)?.hostAddress ?? null);
  const entry: EntryValue = {
    kind: 'route_policy',
    key: `route_policy/${item.id}`,
    network_id: item.networkId,
    route_policy_id: item.id,
    direction: item.direction,
    statements,
  };
  return { all: [entry], peers: new Map() };
}

function describe({ direction, statements }: RoutePolicyEntry): string {
  return `apply ${statements.length} statement${statements.length === 1 ? '' : 's'} to routes on ${direction}`;
}
