// The kinds of entries that nodes have of a network and its peers, without any item: interfaces, tunnels, routes, probes,
// the default policy, members of groups, BGP.
import { familyOf } from '../net/address.ts';
import type { InterfaceEntry, PeerEntry } from '../wire/document.ts';
import { type EntryKindTable, onOwnInterface, unaffected } from './entry-kind.ts';
import {
  addedIsNotApplied,
  type Blocks,
  type Changed,
  fieldsOf,
  listWith,
  mergedField,
  type Reverted,
  staysAsChanged,
  type WholeChange,
  wholeEntry,
} from './take-back.ts';

const why = {
  path: 'whether the other end is reachable',
  forwarding: 'whether that hub forwards to the others',
  direct: 'whether that peer is reachable without a hub',
};

export const networkEntryKinds = {
  interface: {
    ...unaffected,
    describe: ({ name, addresses, mtu }) =>
      `interface ${name} with ${addresses.join(', ') || 'no address'}, MTU ${mtu}`,
    rollBack: { added: addedIsNotApplied.added, changed: changedInterface },
  },
  peer: {
    ...unaffected,
    describe: describePeer,
    rollBack: { added: addedPeer, changed: changedPeer },
    on: onOwnInterface,
  },
  route: {
    describe: ({ destination, via }) => `route to ${destination} by ${via.join(', else ')}`,
    rollBack: {
      added: addedIsNotApplied.added,
      changed: (key, change) => fieldsOf(key, change, ['via']),
      // Taken away stays taken away, but for routes into a block that the network had before.
      removed: (key, was, blocks) =>
        blocks.isDropped(was.network_id, was.destination)
          ? [{ key, field: null, rejected: null, instead: was, along: blocks.wanted(was.network_id) }]
          : [],
    },
    withoutIpv4: (entry) => (familyOf(entry.destination) === 4 ? null : entry),
    on: (entry, { all, peered }) => {
      const via = entry.via.filter((name) => all.has(name) && peered.has(name));
      if (via.length === entry.via.length) return entry;
      return via.length === 0 ? null : { ...entry, via };
    },
  },
  pods: {
    ...unaffected,
    describe: ({ prefix }) => `route slices of ${prefix} to the pods of peers`,
    rollBack: staysAsChanged,
  },
  forwarding: {
    ...unaffected,
    describe: ({ handle }) => `forward between the peers of wg-${handle}`,
    rollBack: addedIsNotApplied,
  },
  probe: {
    ...unaffected,
    describe: (probe) => `probe ${probe.target} through ${probe.interface}: ${why[probe.purpose]}`,
    rollBack: staysAsChanged,
    on: onOwnInterface,
  },
  firewall: {
    ...unaffected,
    describe: ({ prefixes, default_policy: policy }) =>
      `evaluate the firewall rules on packets of ${prefixes.join(' and ')}; default policy: ${policy}`,
    rollBack: {
      added: () => [],
      changed: (key, { was, is }) => listWith(key, 'prefixes', { is: is.prefixes, more: was.prefixes }),
    },
  },
  member: {
    ...unaffected,
    describe: ({ addresses, group }) =>
      `count ${addresses.join(' and ')} among the peers and devices tagged ${group}`,
    rollBack: { added: () => [], changed: changedAddresses },
  },
  bgp: {
    ...unaffected,
    describe: ({ as_number: as, router_id: routerId, role }) =>
      `speak BGP as ${role} of AS ${as}, router id ${routerId}`,
    rollBack: staysAsChanged,
  },
  bgp_neighbor: {
    ...unaffected,
    describe: ({ host_address: address, role }) => `BGP session with the ${role} ${address}`,
    rollBack: staysAsChanged,
  },
} satisfies Partial<EntryKindTable>;

function describePeer(peer: PeerEntry): string {
  const endpoint = peer.endpoint === null ? 'passive' : `endpoint ${peer.endpoint}`;
  const allowed = peer.allowed_ips.join(', ') || 'nothing';
  return `peer ${peer.public_key} on ${peer.interface}, ${endpoint}, carries ${allowed}`;
}

/** Another peer's or network's interface under the same name is another interface; its key may be rotated. */
function changedInterface(key: string, { was, is }: Changed<InterfaceEntry>): Reverted[] {
  if (was.purpose !== is.purpose || was.peer_id !== is.peer_id) return [];
  return fieldsOf(key, { was, is }, ['listen_port', 'mtu', 'addresses', 'probe_addresses']);
}

function addedPeer(key: string, is: PeerEntry, change: WholeChange): Reverted[] {
  const was = samePeer(is, change);
  return was === null ? [wholeEntry(key, is)] : changedPeer(key, { was, is }, change.blocks);
}

/** The entry of the same peer under the key that it had before: then this one is a rotation, which stays. */
function samePeer(is: PeerEntry, { before, current }: WholeChange): PeerEntry | null {
  for (const [key, was] of before) {
    if (was?.kind !== 'peer' || current.has(key)) continue;
    if (was.peer_id === is.peer_id && was.interface === is.interface) return was;
  }
  return null;
}

function changedPeer(key: string, { was, is }: Changed<PeerEntry>, blocks: Blocks): Reverted[] {
  const allowed = { field: 'allowed_ips', was: was.allowed_ips, is: is.allowed_ips };
  return [
    ...fieldsOf(key, { was, is }, ['endpoint', 'fallback_endpoints', 'keepalive']),
    ...mergedField(key, allowed, blocks.ofInterface(is.interface)),
  ];
}

/** Addresses that come back are those of the same peers, and rules are evaluated on them as on the others. */
export function changedAddresses<
  E extends { readonly network_id: string; readonly addresses: readonly string[] },
>(key: string, { was, is }: { readonly was: E; readonly is: E }, blocks: Blocks): Reverted[] {
  const more = blocks.droppedOf(is.network_id, was.addresses);
  return listWith(key, 'addresses', { is: is.addresses, more });
}
