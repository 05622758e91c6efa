// An account with one network of very many peers.
import { chance } from './ids.ts';
import { emptyWorld, makeInstance, makeNetwork, makePeer, type Peer, type World } from './world.ts';

export function largeWorld(peers: number): World {
  const world = emptyWorld();
  const network = makeNetwork(9, { name: 'fleet', peer_count: peers, hub_count: 4 });
  world.networks.push(network);
  const hubs: Peer[] = [];
  for (let n = 0; n < peers; n++) {
    const hub = n < 4;
    const instance = makeInstance(1000 + n, {
      hostname: hub ? `core-${n + 1}` : `site-${String(n).padStart(5, '0')}`,
      publicly_reachable: hub,
      tags: [chance(n) < 0.5 ? 'north' : 'south'],
    });
    const luck = chance(n + 31);
    const status = hub || luck < 0.985 ? 'connected' : luck < 0.995 ? 'silent' : 'handshake_pending';
    const via = hub ? null : (hubs[n % 4]?.id ?? null);
    const peer = makePeer(
      1000 + n,
      { network, instance },
      { role: hub ? 'hub' : 'spoke', status, via_hub_peer_id: via },
    );
    if (hub) hubs.push(peer);
    world.instances.push(instance);
    world.peers.push(peer);
  }
  return world;
}
