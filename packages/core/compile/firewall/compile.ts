// Compiles the entries of one node's document to the firewalls of its networks.
import { withoutLength } from '../../net/address.ts';
import type { FirewallEntry } from '../../wire/document.ts';
import type { NodeDocument } from '../../wire/node-document.ts';
import { makeDecisionList } from './decision-list.ts';
import { blocksOf, groupsOf } from './groups.ts';
import type { DecisionList, LookupTable, NetworkFirewall } from './model.ts';

/** Firewalls by the id of their network. */
export type Firewalls = ReadonlyMap<string, NetworkFirewall>;

/**
 * `previous` is what came of an earlier document, or of another node's: it makes no difference to the outcome, but what
 * is equal in both is the same object, so that comparing them costs as much as what differs.
 */
export function compileFirewalls(document: NodeDocument, previous: Firewalls | null): Firewalls {
  const firewalls = new Map<string, NetworkFirewall>();
  for (const firewall of document.all('firewall').values()) {
    const id = firewall.network_id;
    firewalls.set(id, compileNetwork(document, firewall, previous?.get(id) ?? null));
  }
  return firewalls;
}

/** The node's own addresses in a network and those of its devices. */
function localsOf(document: NodeDocument, networkId: string): Set<string> {
  const own = document
    .inNetwork('interface', networkId)
    .flatMap((entry) => entry.addresses.map(withoutLength));
  return new Set([...own, ...document.inNetwork('device', networkId).flatMap((entry) => entry.addresses)]);
}

function compileNetwork(
  document: NodeDocument,
  firewall: FirewallEntry,
  previous: NetworkFirewall | null,
): NetworkFirewall {
  const id = firewall.network_id;
  const rules = document.inNetwork('rule', id);
  const members = document.inNetwork('member', id);
  const locals = localsOf(document, id);
  const local = members.filter((member) => member.addresses.some((address) => locals.has(address)));
  const common = { rules, localGroups: new Set(local.map((member) => member.group)) };
  const policy = firewall.default_policy;
  const ingress = makeDecisionList(
    { ...common, direction: 'ingress', otherwise: policy },
    previous?.ingress ?? null,
  );
  // What leaves is free unless a rule names it.
  const egress = makeDecisionList(
    { ...common, direction: 'egress', otherwise: 'accept' },
    previous?.egress ?? null,
  );
  const groups = groupsOf(tablesOf(ingress, egress), members, previous?.groups ?? null);
  return {
    networkId: id,
    handle: firewall.handle,
    prefixes: firewall.prefixes,
    devices: document
      .inNetwork('device', id)
      .flatMap((device) => device.addresses)
      .sort(),
    groups,
    blocks: blocksOf(groups, previous?.blocks ?? null),
    ingress,
    egress,
  };
}

function* tablesOf(...lists: readonly DecisionList[]): Generator<LookupTable> {
  for (const list of lists) yield* list.inputs.tables.values();
}
