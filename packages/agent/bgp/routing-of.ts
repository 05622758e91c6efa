// What a bgpd is configured from: the entries of one network in the node's document, as core/routing takes them.
import { configText } from '@powernode/core/routing/config-lines';
import type { Neighbor, Policy, Routing, Subnet } from '@powernode/core/routing/model';
import { renderBgpd } from '@powernode/core/routing/render';
import type { NodeDocument } from '@powernode/core/wire/node-document';

/** A network with iBGP in a document. */
export interface WantedBgp {
  readonly network: string;
  /** This machine's overlay address in it. */
  readonly address: string;
  /** The whole configuration of its bgpd. */
  readonly text: string;
  /** Addresses of its neighbors. */
  readonly neighbors: ReadonlySet<string>;
}

export function wantedBgp(document: NodeDocument): WantedBgp[] {
  return [...document.all('bgp').values()]
    .map((speaker) => ({
      network: speaker.network_id,
      address: speaker.host_address,
      text: configText(renderBgpd(routingOf(document, speaker.network_id, speaker))),
      neighbors: new Set(
        document.inNetwork('bgp_neighbor', speaker.network_id).map((neighbor) => neighbor.host_address),
      ),
    }))
    .sort((a, b) => (a.network < b.network ? -1 : 1));
}

function routingOf(document: NodeDocument, networkId: string, speaker: Routing['speaker']): Routing {
  const entries = document.inNetwork('subnet', networkId);
  const subnets = new Map<string, Subnet['announcers'][number][]>();
  const byPeer = new Map<string, Set<string>>();
  for (const { prefix, peer_id, next_hop, preference } of entries) {
    subnets.set(prefix, [...(subnets.get(prefix) ?? []), { next_hop, preference }]);
    byPeer.set(peer_id, (byPeer.get(peer_id) ?? new Set()).add(prefix));
  }
  return {
    speaker,
    neighbors: document.inNetwork('bgp_neighbor', networkId).map(
      ({ host_address, role, peer_id }): Neighbor => ({
        host_address,
        role,
        // A reflector passes on what others announce; all others speak for themselves.
        accept: role === 'reflector' ? null : [...(byPeer.get(peer_id) ?? [])].sort(),
      }),
    ),
    subnets: [...subnets].map(([prefix, announcers]) => ({ prefix, announcers })),
    policies: document
      .inNetwork('route_policy', networkId)
      .map(
        ({ route_policy_id, direction, statements }): Policy => ({ route_policy_id, direction, statements }),
      ),
  };
}
