// The numbered changes of the fake platform, read from its events: each of an overlay's objects reached every machine.
import type { Event } from '@powernode/core/intent/fleet';
import type { Output } from '../../src/api/client.ts';
import type { World } from './world.ts';

type Change = Output<'listChanges'>['changes'][number];

/** `events`: newest first. */
export function changesOf(
  world: World,
  events: readonly Event[],
  filter: { readonly network_id?: string; readonly instance_id?: string },
): Change[] {
  const made = events.filter(({ kind, payload }) => kind.startsWith('sdwan.') && 'after' in payload);
  const [network] = world.networks;
  if (network === undefined) return [];
  const nodes = world.peers
    .filter((peer) => peer.network_id === network.id)
    .map((peer) => ({ instance_id: peer.node_instance_id, hostname: peer.hostname }));
  if (filter.network_id !== undefined && filter.network_id !== network.id) return [];
  if (filter.instance_id !== undefined && !nodes.some((node) => node.instance_id === filter.instance_id))
    return [];
  return made.map((event, place) => ({
    sequence: made.length - place,
    at: event.at,
    action: `system_${event.kind.replaceAll('.', '_')}`,
    actor: event.actor,
    correlation_id: event.correlation_id,
    networks: [{ network_id: network.id, name: network.name }],
    nodes,
    node_count: nodes.length,
  }));
}
