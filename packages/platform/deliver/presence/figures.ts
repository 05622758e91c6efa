// What metrics show of machines and peers: read from memory at each scrape.

import type { PeerModel } from '@powernode/core/compile/model';
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import type { InstanceId, PublicKey } from '@powernode/core/ids';
import type { NetworkFigures, OverlaySources, PeerFigures } from '../../observe/overlay-metrics.ts';
import type { NodeState } from '../nodes/node-state.ts';
import type { PresenceView } from './view.ts';

export interface FiguresParts {
  readonly networks: () => Iterable<NetworkIndex>;
  readonly presence: PresenceView;
  readonly nodes: ReadonlyMap<InstanceId, Pick<NodeState, 'hostname' | 'repaired'>>;
  readonly lastHandshakeMs: (publicKey: PublicKey) => number | null;
}

export function overlayFigures(parts: FiguresParts): Omit<OverlaySources, 'stored'> {
  return {
    *networks() {
      for (const index of parts.networks()) yield networkFigures(parts, index);
    },
    instances: () => parts.presence.instanceCounts(),
    *drift() {
      for (const [instanceId, { hostname, repaired }] of parts.nodes) {
        if (repaired > 0) yield { instanceId, hostname, count: repaired };
      }
    },
  };
}

function networkFigures(parts: FiguresParts, index: NetworkIndex): NetworkFigures {
  const transit = new Set(index.transit.map((hub) => hub.id));
  return {
    id: index.network.id,
    handle: index.network.handle,
    peers: (function* () {
      for (const peer of index.peers()) yield peerFigures(parts, peer, transit.has(peer.id));
    })(),
  };
}

function peerFigures(parts: FiguresParts, peer: PeerModel, isTransit: boolean): PeerFigures {
  return {
    id: peer.id,
    hostname: parts.nodes.get(peer.instanceId)?.hostname ?? '',
    reachable: parts.presence.reachable(peer.id),
    lastHandshakeMs: parts.lastHandshakeMs(peer.publicKey),
    sources: isTransit ? parts.presence.heardCounts(peer.instanceId) : null,
  };
}
