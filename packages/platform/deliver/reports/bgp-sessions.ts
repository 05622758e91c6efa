// Sessions of BGP as nodes see them: kept as rows, with an event when one is established, when it is lost, and when a node
// refuses what the other end announces. Taken are sessions with peers that the node's document has, and only so many events
// in a minute.
import { haveSession, speaksForItself } from '@powernode/core/compile/bgp-entries';
import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { AccountId } from '@powernode/core/ids';
import { reportFlushMs } from '@powernode/core/limits/node-stream';
import { sessionEventsPerMinuteMax } from '@powernode/core/limits/routing';
import type { Observed } from '@powernode/core/wire/node-stream';
import type { Transaction } from 'kysely';
import type { Logger } from 'pino';
import { type EventBus, publishEvents } from '../../events/event-bus.ts';
import { type EventDraft, writeEvents } from '../../events/write-events.ts';
import type { Store } from '../../store/open-store.ts';
import type { Database } from '../../store/tables.ts';
import { inAccount } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';
import { makeEvent } from '../../trust/node-events.ts';
import type { NodeState } from '../nodes/node-state.ts';
import {
  type DoneReset,
  type SessionReport,
  type SessionTurn,
  writeDoneResets,
  writeSessions,
} from './bgp-session-rows.ts';
import { EventBudget } from './event-budget.ts';
import { NodeBatch } from './node-batch.ts';

export interface BgpSessionParts {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly fleet: Pick<FleetIndex, 'network'>;
}

interface SessionDraft {
  readonly report: SessionReport;
  readonly kind: string;
  readonly severity: 'info' | 'warning';
  readonly payload: Readonly<Record<string, unknown>>;
}

export class BgpSessions {
  readonly #parts: BgpSessionParts;
  readonly #batch: NodeBatch;
  readonly #budget: EventBudget;
  /** The newest report of each session that is not written yet. */
  readonly #waiting = new WeakMap<NodeState, Map<string, SessionReport>>();

  constructor(parts: BgpSessionParts) {
    this.#parts = parts;
    const { clock, log } = parts;
    this.#budget = new EventBudget(clock, sessionEventsPerMinuteMax);
    this.#batch = new NodeBatch({
      clock,
      log,
      what: 'sessions of BGP',
      delayMs: reportFlushMs,
      write: (accountId, nodes) => this.#write(accountId, nodes),
    });
  }

  observed(node: NodeState, sessions: Observed['bgp_sessions']): void {
    if (sessions === undefined || sessions.length === 0) return;
    const waiting = this.#waiting.get(node) ?? new Map<string, SessionReport>();
    for (const session of sessions) {
      const report = this.#reportOf(node, session);
      if (report !== null) waiting.set(report.neighborId, report);
    }
    if (waiting.size === 0) return;
    this.#waiting.set(node, waiting);
    this.#batch.add(node);
  }

  flush(): Promise<void> {
    return this.#batch.flush();
  }

  /** null: the node has no such session. That one has ended is believed of every peer of its networks. */
  #reportOf(node: NodeState, session: NonNullable<Observed['bgp_sessions']>[number]): SessionReport | null {
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

  async #write(accountId: AccountId, nodes: readonly NodeState[]): Promise<void> {
    const { store, bus } = this.#parts;
    const taken = nodes.map((node) => ({ node, reports: [...(this.#waiting.get(node)?.values() ?? [])] }));
    const events = await inAccount(store, accountId, (trx) => this.#writeIn(trx, accountId, taken));
    for (const { node, reports } of taken) {
      const waiting = this.#waiting.get(node);
      // What came meanwhile is written next.
      for (const report of reports) {
        if (waiting?.get(report.neighborId) === report) waiting.delete(report.neighborId);
      }
    }
    publishEvents(bus, events);
  }

  async #writeIn(
    trx: Transaction<Database>,
    accountId: AccountId,
    taken: readonly { readonly node: NodeState; readonly reports: readonly SessionReport[] }[],
  ) {
    const all = taken.flatMap(({ reports }) => reports);
    const turns = await writeSessions(trx, accountId, all);
    const resets = await writeDoneResets(trx, accountId, all);
    const drafts = taken.flatMap(({ node, reports }) => {
      const own = new Set(reports);
      const ofTurns = turns.filter(({ report }) => own.has(report));
      const ofResets = resets.filter(({ report }) => own.has(report));
      return [
        ...ofResets.flatMap((reset) => this.#eventOf(node, resetDraft(reset)) ?? []),
        ...ofTurns.flatMap((turn) => this.#eventOf(node, turnDraft(turn)) ?? []),
      ];
    });
    return writeEvents(trx, drafts);
  }

  /** null: the node has caused enough events for now. */
  #eventOf(node: NodeState, { report, kind, severity, payload }: SessionDraft): EventDraft | null {
    const allowed = this.#budget.take(node);
    if (allowed === null) return null;
    const { unreported } = allowed;
    return makeEvent(this.#parts.clock, {
      accountId: node.accountId,
      kind,
      severity,
      instance: { id: node.instanceId, hostname: node.hostname },
      payload: {
        network_id: report.networkId,
        peer_id: report.peerId,
        neighbor_id: report.neighborId,
        ...payload,
        ...(unreported === 0 ? {} : { unreported_count: unreported }),
      },
    });
  }
}

const events = {
  established: { kind: 'sdwan.bgp.session.established', severity: 'info' },
  lost: { kind: 'sdwan.bgp.session.lost', severity: 'warning' },
  refused: { kind: 'sdwan.bgp.routes.refused', severity: 'warning' },
  refusal_ended: { kind: 'sdwan.bgp.routes.refusal_ended', severity: 'info' },
} as const satisfies Record<SessionTurn['kind'], Pick<EventDraft, 'kind' | 'severity'>>;

function turnDraft(turn: SessionTurn): SessionDraft {
  return { report: turn.report, ...events[turn.kind], payload: payloadOf(turn) };
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

function refusedIn(
  said: NonNullable<Observed['bgp_sessions']>[number]['refused'],
  now: number,
): SessionReport['refused'] {
  if (said === undefined || said === null) return said;
  return { ...said, since: new Date(Math.min(Date.parse(said.since), now)) };
}

function resetDraft({ report, requestedAt }: DoneReset): SessionDraft {
  return {
    report,
    kind: 'sdwan.bgp.session.reset',
    severity: 'info',
    payload: { reset_id: report.resetDone, requested_at: requestedAt.toISOString() },
  };
}
