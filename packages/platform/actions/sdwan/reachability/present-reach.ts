// Who can begin a tunnel with a peer, and what two ends of a tunnel make known by what they say of it.
import { tunnelEndpoints } from '@powernode/core/compile/entries';
import type { Peer } from '@powernode/core/intent/peer';
import { tunnelsModel } from '../networks/model.ts';
import { peerModel } from '../peers/model.ts';
import type { NetworkRow, PeerRow } from '../rows.ts';
import type { PeerObservation } from './observations.ts';

interface Reached {
  readonly row: PeerRow;
  readonly network: NetworkRow;
  readonly observation: PeerObservation;
}

export function calledFrom({ row, network, observation }: Reached): Peer['called'] {
  const places = tunnelEndpoints(tunnelsModel(network), peerModel(row));
  if (places.length > 0) {
    const detail = unansweredOf({ row, places, observation });
    if (detail !== null) return { state: 'by_nobody', detail };
    return { state: 'by_members', detail: `Peers reach it at ${places.join(', ')}.` };
  }
  if (row.hub_slot !== null) {
    return { state: 'by_nobody', detail: 'It is a hub without an endpoint: set endpoint_address.' };
  }
  if (network.direct_paths && row.direct_endpoint !== null) {
    return {
      state: 'through_nat',
      detail: `Other spokes reach it at ${row.direct_endpoint} while its NAT keeps that mapping; other peers reach it through tunnels that it initiates.`,
    };
  }
  const unused =
    row.endpoint === null ? '' : ' Its endpoint is used in a full mesh only, and this is hub_and_spoke.';
  return {
    state: 'by_nobody',
    detail: `It initiates tunnels to its hubs, and all peers reach it through these; only it can re-establish them.${unused}`,
  };
}

/** Members are told where to call it, and none of those that do has got through. */
function unansweredOf(of: {
  readonly row: PeerRow;
  readonly places: readonly string[];
  readonly observation: PeerObservation;
}): string | null {
  const { row, places, observation } = of;
  const callers = observation.callersUnanswered.map((name) => `"${name}"`);
  if (callers.length === 0) return null;
  return `Peers are configured to reach it at ${places.join(', ')}, but none has completed a handshake (tried by ${callers.join(', ')}). It listens on UDP ${row.listen_port}: check that a router in front forwards this port and that no firewall drops it.`;
}

/** What is wrong with a peer by what it and others say of their tunnels; null: nothing. */
export function reachProblemOf(of: Reached & { readonly hostname: string }): Peer['problem'] {
  const { row, network, hostname, observation } = of;
  const { contradiction } = observation;
  if (contradiction !== null) {
    const { other_hostname: other, denies, at } = contradiction;
    const [claims, never] = denies ? [other, hostname] : [hostname, other];
    const detail = `"${claims}" reports a handshake with "${never}" at ${at}, and "${never}" reports that there was none.`;
    return { code: 'handshake_contradiction', detail, since: at };
  }
  const places = tunnelEndpoints(tunnelsModel(network), peerModel(row));
  const detail = places.length === 0 ? null : unansweredOf({ row, places, observation });
  if (detail === null) return null;
  return { code: 'endpoint_unreachable', detail, since: row.updated_at.toISOString() };
}
