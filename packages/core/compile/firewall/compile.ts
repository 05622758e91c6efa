// From the entries of one node's document to how its networks' packets are judged.
import { withoutLength } from '../../net/address.ts';
import type { DeviceEntry, EntryValue, FirewallEntry, MemberEntry, RuleEntry } from '../../wire/document.ts';
import { blocksOf, groupsOf } from './groups.ts';
import type { Bucket, NetworkFirewall, Program } from './model.ts';
import { makeProgram } from './program.ts';

/** The networks whose packets are judged, by their ids. */
export type Firewalls = ReadonlyMap<string, NetworkFirewall>;

interface Parts {
  readonly firewall: FirewallEntry;
  readonly rules: RuleEntry[];
  readonly members: MemberEntry[];
  readonly devices: DeviceEntry[];
  /** The node's own addresses and those of its devices. */
  readonly locals: Set<string>;
}

/**
 * `previous` is what came of an earlier document, or of another node's: it makes no difference to the outcome, but what
 * is equal in both is the same object, so that comparing them costs as much as what differs.
 */
export function compileFirewalls(entries: Iterable<EntryValue>, previous: Firewalls | null): Firewalls {
  const firewalls = new Map<string, NetworkFirewall>();
  for (const [id, parts] of partsByNetwork(entries)) {
    firewalls.set(id, compileNetwork(parts, previous?.get(id) ?? null));
  }
  return firewalls;
}

function partsByNetwork(entries: Iterable<EntryValue>): Map<string, Parts> {
  const parts = new Map<string, Parts>();
  const rest: Exclude<EntryValue, FirewallEntry>[] = [];
  for (const entry of entries) {
    if (entry.kind === 'firewall') {
      parts.set(entry.network_id, {
        firewall: entry,
        rules: [],
        members: [],
        devices: [],
        locals: new Set(),
      });
    } else if (isPart(entry.kind)) rest.push(entry);
  }
  for (const entry of rest) {
    if (!('network_id' in entry)) continue;
    const of = parts.get(entry.network_id);
    if (of !== undefined) addPart(of, entry);
  }
  return parts;
}

function isPart(kind: EntryValue['kind']): boolean {
  return kind === 'rule' || kind === 'member' || kind === 'device' || kind === 'interface';
}

function addPart(parts: Parts, entry: EntryValue): void {
  switch (entry.kind) {
    case 'rule':
      parts.rules.push(entry);
      return;
    case 'member':
      parts.members.push(entry);
      return;
    case 'device':
      parts.devices.push(entry);
      for (const address of entry.addresses) parts.locals.add(address);
      return;
    case 'interface':
      for (const address of entry.addresses) parts.locals.add(withoutLength(address));
      return;
    default:
  }
}

function compileNetwork(parts: Parts, previous: NetworkFirewall | null): NetworkFirewall {
  const { firewall, rules, members } = parts;
  const near = members.filter((member) => member.addresses.some((address) => parts.locals.has(address)));
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
    networkId: firewall.network_id,
    handle: firewall.handle,
    prefixes: firewall.prefixes,
    devices: parts.devices.flatMap((device) => device.addresses).sort(),
    groups,
    blocks: blocksOf(groups, previous?.blocks ?? null),
    ingress,
    egress,
  };
}

function* bucketsOf(...programs: readonly Program[]): Generator<Bucket> {
  for (const program of programs) yield* program.origin.buckets.values();
}
