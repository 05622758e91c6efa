// The ports of BGP and BFD at the overlay address of a node whose network speaks BGP: its neighbors reach them whatever the
// rules of the network say, and no other source does. It must agree with what agents load (agent/subsystems/nftables).
import { bfdPorts, bgpPort } from '../limits/routing.ts';
import type { NodeDocument } from '../wire/node-document.ts';
import type { Traffic } from './rule-index.ts';

/** The sessions of one node in one network. Addresses are IPv6 in canonical text. */
export interface BgpSpeaker {
  readonly own: string;
  readonly neighbors: ReadonlySet<string>;
}

/** null: the network of the node has static routes. */
export function bgpSpeakerOf(document: NodeDocument, networkId: string): BgpSpeaker | null {
  const [speaker] = document.inNetwork('bgp', networkId);
  if (speaker === undefined) return null;
  const neighbors = document.inNetwork('bgp_neighbor', networkId).map((neighbor) => neighbor.host_address);
  return { own: speaker.host_address, neighbors: new Set(neighbors) };
}

/** What the node does with the first packet of a connection before any rule; null: the rules decide. */
export function bgpVerdict(
  speaker: BgpSpeaker | null,
  { hook, protocol, port }: Traffic,
  { source, destination }: { readonly source: string; readonly destination: string },
): 'accept' | 'drop' | null {
  if (speaker === null || !isSessionPort(protocol, port)) return null;
  const { own, neighbors } = speaker;
  if (hook === 'egress') return source === own && neighbors.has(destination) ? 'accept' : null;
  if (destination !== own) return null;
  return neighbors.has(source) ? 'accept' : 'drop';
}

function isSessionPort(protocol: Traffic['protocol'], port: number | null): boolean {
  if (port === null) return false;
  return protocol === 'tcp' ? port === bgpPort : protocol === 'udp' && bfdPorts.includes(port);
}
