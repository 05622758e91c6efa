// BGP between this machine and its neighbors, and BFD, which tells it that a path is dead: they are let through whatever the
// rules of the network say, for these are about what its peers send each other. Nobody else meets the daemons.
import { bfdPorts, bgpPort } from '@powernode/core/limits/routing';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { TableBuilder } from './table-builder.ts';

/** The sessions of this machine in one network. */
export interface BgpIntent {
  readonly networkId: string;
  /** This machine's address in it. */
  readonly own: string;
  readonly neighbors: readonly string[];
}

export function bgpIntentsOf(document: NodeDocument): BgpIntent[] {
  return [...document.all('bgp').values()].map(({ network_id: networkId, host_address: own }) => ({
    networkId,
    own,
    neighbors: document.inNetwork('bgp_neighbor', networkId).map((neighbor) => neighbor.host_address),
  }));
}

export function addBgpSet(table: TableBuilder, handle: string, { neighbors }: BgpIntent): void {
  table.set(neighborSet(handle), 'ipv6_addr', neighbors);
}

/**
 * Packets of both directions have the two ports of a session by turns. From port 179 no connection begins, or a neighbor
 * could reach every port from there.
 */
const sessionPackets = [
  `tcp dport ${bgpPort}`,
  `tcp sport ${bgpPort} tcp flags & (syn | ack) != syn`,
  `udp dport { ${bfdPorts.join(', ')} }`,
];

export function bgpRules(
  direction: 'ingress' | 'egress',
  { handle, bgp }: { readonly handle: string; readonly bgp: BgpIntent | undefined },
): string[] {
  if (bgp === undefined) return [];
  const { own } = bgp;
  const neighbors = `@${neighborSet(handle)}`;
  if (direction === 'egress') {
    return sessionPackets.map((packets) => `ip6 saddr ${own} ip6 daddr ${neighbors} ${packets} accept`);
  }
  return [
    ...sessionPackets.map((packets) => `ip6 saddr ${neighbors} ip6 daddr ${own} ${packets} accept`),
    `ip6 daddr ${own} tcp dport ${bgpPort} drop`,
    `ip6 daddr ${own} udp dport { ${bfdPorts.join(', ')} } drop`,
  ];
}

function neighborSet(handle: string): string {
  return `pn_bgp_${handle}`;
}
