// From the entries of one node's document to how its networks' packets are judged.
import { withoutLength } from '../../net/address.ts';
import type { FirewallEntry } from '../../wire/document.ts';
import type { NodeDocument } from '../../wire/node-document.ts';
import { blocksOf, groupsOf } from './groups.ts';
import type { Bucket, NetworkFirewall, Program } from './model.ts';
import { makeProgram } from './program.ts';

/** The networks whose packets are judged, by their ids. */
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
  const near = members.filter((member) => member.addresses.some((address) => locals.has(address)));
  const common = { rules, nearGroups: new Set(near.map((member) => member.group)) };
  const policy = firewall.default_policy;
  const ingress = makeProgram(
    { ...common, direction: 'ingress', otherwise: policy },
    previous?.ingress ?? null,
  );
  // What leaves is free unless a rule names it.
  const egress = makeProgram(
    { ...common, direction: 'egress', otherwise: 'accept' },
    previous?.egress ?? null,
  );
  const groups = groupsOf(bucketsOf(ingress, egress), members, previous?.groups ?? null);
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

function* bucketsOf(...programs: readonly Program[]): Generator<Bucket> {
  for (const program of programs) yield* program.origin.buckets.values();
}
