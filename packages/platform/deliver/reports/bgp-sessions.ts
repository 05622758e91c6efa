// Sessions of BGP as nodes see them: kept as rows, with an event when one is established, when it is lost, when it was
// cleared, and when a node refuses what the other end announces. Taken are sessions with peers that the node's document has.
import { haveSession, speaksForItself } from '@powernode/core/compile/bgp-entries';
import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import { sessionEventsPerMinuteMax } from '@powernode/core/limits/routing';
import type { Observed } from '@powernode/core/wire/node-stream';
import type { EventDraft } from '../../events/write-events.ts';
import type { NodeState } from '../nodes/node-state.ts';
import {
  type DoneReset,
  type SessionReport,
  type SessionTurn,
  writeDoneResets,
  writeSessions,
} from './bgp-session-rows.ts';
import { ObjectReports, type ReportedTurn, type ReportTools } from './object-reports.ts';

export interface BgpSessionParts extends ReportTools {
  readonly fleet: Pick<FleetIndex, 'network'>;
}

type Said = NonNullable<Observed['bgp_sessions']>[number];

export class BgpSessions {
  readonly #parts: BgpSessionParts;
  readonly #reports: ObjectReports<SessionReport>;

  constructor(parts: BgpSessionParts) {
    this.#parts = parts;
    this.#reports = new ObjectReports({
      ...parts,
      what: 'sessions of BGP',
      eventsPerMinuteMax: sessionEventsPerMinuteMax,
      keyOf: ({ neighborId }) => neighborId,
      write: async (trx, accountId, reports) => {
        const turns = await writeSessions(trx, accountId, reports);
        const resets = await writeDoneResets(trx, accountId, reports);
        return [...resets.map(turnOfReset), ...turns.map(turnOf)];
      },
    });
  }

  observed(node: NodeState, said: Observed['bgp_sessions']): void {
    this.#reports.take(node, said?.flatMap((one) => this.#reportOf(node, one) ?? []) ?? []);
  }

  flush(): Promise<void> {
    return this.#reports.flush();
  }

  /** null: the node has no such session. That one has ended is believed of every peer of its networks. */
  #reportOf(node: NodeState, session: Said): SessionReport | null {
    const network = this.#parts.fleet.network(session.network_id);
    const peer = network?.peerOfInstance(node.instanceId);
    const neighbor = network?.peer(session.peer_id);
    if (network === undefined || peer === undefined || neighbor === undefined) return null;
    const { asNumber } = network.network;
    const isKnown = asNumber !== undefined && haveSession(network.network, peer, neighbor);
    if (!isKnown && session.state !== null) return null;
    const now = this.#parts.clock.now();
    const established = session.established_at === null ? null : Date.parse(session.established_at);
    return {
      networkId: network.network.id,
      peerId: peer.id,
      neighborId: neighbor.id,
      state: session.state,
      establishedAt: established === null ? null : new Date(Math.min(established, now)),
      prefixesReceived: session.prefixes_received,
      lastError: session.last_error,
      // Of a reflector a node refuses nothing: a spoke that was taken over accuses no hub.
      refused: speaksForItself(network.network, neighbor) ? refusedIn(session.refused, now) : undefined,
      observedAt: new Date(now),
      resetDone: session.reset_done ?? null,
    };
  }
}

const events = {
  established: { kind: 'sdwan.bgp.session.established', severity: 'info' },
  lost: { kind: 'sdwan.bgp.session.lost', severity: 'warning' },
  refused: { kind: 'sdwan.bgp.routes.refused', severity: 'warning' },
  refusal_ended: { kind: 'sdwan.bgp.routes.refusal_ended', severity: 'info' },
} as const satisfies Record<SessionTurn['kind'], Pick<EventDraft, 'kind' | 'severity'>>;

function turnOf(turn: SessionTurn): ReportedTurn<SessionReport> {
  const { report } = turn;
  return { report, ...events[turn.kind], payload: { ...sessionOf(report), ...payloadOf(turn) } };
}

function sessionOf({ networkId, peerId, neighborId }: SessionReport) {
  return { network_id: networkId, peer_id: peerId, neighbor_id: neighborId };
}

function payloadOf(turn: SessionTurn): EventDraft['payload'] {
  switch (turn.kind) {
    case 'established':
      return {
        reason: null,
        ...(turn.downSince === null ? {} : { down_since: turn.downSince.toISOString() }),
      };
    case 'lost':
      return { reason: turn.report.lastError };
    case 'refused':
    case 'refusal_ended': {
      const { ipv4, ipv6, since } = turn.refused;
      return { refused_ipv4: ipv4, refused_ipv6: ipv6, since: since.toISOString() };
    }
  }
}

function refusedIn(said: Said['refused'], now: number): SessionReport['refused'] {
  if (said === undefined || said === null) return said;
  return { ...said, since: new Date(Math.min(Date.parse(said.since), now)) };
}

function turnOfReset({ report, requestedAt }: DoneReset): ReportedTurn<SessionReport> {
  return {
    report,
    kind: 'sdwan.bgp.session.reset',
    severity: 'info',
    payload: {
      ...sessionOf(report),
      reset_id: report.resetDone,
      requested_at: requestedAt.toISOString(),
    },
  };
}
