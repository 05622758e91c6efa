// From rows, the fleet in memory and observations of nodes to what the pure machine (core/virtual-ips) knows of one
// virtual IP: for its session, and for actions that ask how fit its candidates are.

import type { Item } from '@powernode/core/compile/model';
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import type { InstanceId, NetworkId, PeerId } from '@powernode/core/ids';
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import {
  type CheckReport,
  type HubReport,
  newState,
  type PeerFacts,
  type Row,
  type State,
} from '@powernode/core/virtual-ips/state';
import { leaseholderOf } from '@powernode/core/virtual-ips/step';
import { type LeaseTerms, termsOf } from '@powernode/core/virtual-ips/terms';
import { candidateIds, type VirtualIpRow, virtualIpModel } from '../../actions/sdwan/virtual-ips/model.ts';
import type { Held, NodeState } from '../../deliver/nodes/node-state.ts';
import type { Clock } from '../../trust/clock.ts';
import type { NodeObservations } from './node-observations.ts';
import { isAbreast, type OutstandingLeases } from './outstanding-leases.ts';

export interface StateReaderParts {
  readonly network: (networkId: NetworkId) => NetworkIndex | undefined;
  readonly node: (instanceId: InstanceId) => NodeState | undefined;
  readonly observations: NodeObservations;
  readonly leases: OutstandingLeases;
  /** Its steady time is that of all facts, its time since 1970 that of rows. */
  readonly clock: Pick<Clock, 'now' | 'steady'>;
}

export class StateReader {
  readonly #parts: StateReaderParts;

  constructor(parts: StateReaderParts) {
    this.#parts = parts;
  }

  /** Everything that is known now, as a state of the machine outside of a leader's term. */
  stateOf(row: VirtualIpRow, mode: PolicyMode): State {
    const state = newState(this.rowOf(row), mode);
    const reports = new Map<PeerId, ReadonlyMap<PeerId, HubReport>>();
    for (const peerId of this.peersOf(row)) {
      const byHub = new Map<PeerId, HubReport>();
      for (const hub of this.hubsOf(row)) {
        const report = this.reportOf(row, { hub, peerId });
        if (report !== null) byHub.set(hub, report);
      }
      reports.set(peerId, byHub);
    }
    return { ...state, ...this.termsOf(row), peers: this.factsOf(row), reports, check: this.checkOf(row) };
  }

  rowOf(row: VirtualIpRow): Row {
    const { clock } = this.#parts;
    const index = this.#parts.network(row.network_id);
    const here = (at: Date) => clock.steady() - Math.max(clock.now() - at.getTime(), 0);
    const { transition: move } = row;
    return {
      anycast: row.anycast,
      candidates: candidateIds(row).filter((peerId) => index?.peer(peerId) !== undefined),
      preempt: row.preempt,
      holdDownMs: row.hold_down_seconds * 1000,
      holder: row.current_holder_peer_id,
      epoch: row.epoch,
      releasing:
        row.releasing_peer_id === null || row.release_sequence === null
          ? null
          : {
              peerId: row.releasing_peer_id,
              sequence: row.release_sequence,
              sinceMs: here(move === null ? row.updated_at : new Date(move.decided_at)),
            },
      successor: row.successor_peer_id,
      move:
        move === null
          ? null
          : {
              reason: move.reason,
              detail: move.detail,
              fromPeerId: move.from_peer_id,
              grantSequence: move.given_sequence,
            },
      // What was created has not moved.
      lastMovedMs: row.last_transition_at === null || row.epoch <= 1 ? null : here(row.last_transition_at),
      checked: row.health_check !== null,
      failedChecks: row.failed_checks.map((one) => ({
        peerId: one.peer_id,
        recovered: one.recovered,
        atMs: one.at === undefined ? Number.NEGATIVE_INFINITY : here(new Date(one.at)),
      })),
      phase: row.state,
      detail: row.state_detail,
    };
  }

  /** Candidates, and who has to give it up. */
  peersOf(row: VirtualIpRow): PeerId[] {
    return [...new Set([...candidateIds(row), row.current_holder_peer_id, row.releasing_peer_id])].flatMap(
      (peerId) => peerId ?? [],
    );
  }

  /** Hubs that may say something of them, by peer. */
  hubsOf(row: VirtualIpRow): PeerId[] {
    const { network, leases } = this.#parts;
    const present = network(row.network_id)?.transit.map((hub) => hub.id) ?? [];
    const bound = boundPeer(row);
    const older = bound === null ? [] : leases.termsOf(row.id, bound);
    const named = older.flatMap((terms) => (terms === null || terms === 'unknown' ? [] : terms.witnesses));
    return [...new Set([...present, ...named])];
  }

  factsOf(row: VirtualIpRow): Map<PeerId, PeerFacts> {
    return new Map(this.peersOf(row).map((peerId) => [peerId, this.#peerFacts(row, peerId)]));
  }

  termsOf(row: VirtualIpRow): Pick<State, 'terms' | 'oldTerms' | 'names'> {
    const { network, leases } = this.#parts;
    const index = network(row.network_id);
    const item = virtualIpModel(row);
    const terms = new Map<PeerId, LeaseTerms | null>();
    for (const peerId of candidateIds(row)) {
      const peer = index?.peer(peerId);
      if (index !== undefined && peer !== undefined) terms.set(peerId, termsOf(item, peer, index));
    }
    const names = new Map(this.hubsOf(row).map((hub) => [hub, this.#nameOf(row, hub)]));
    const bound = boundPeer(row);
    return { terms, names, oldTerms: bound === null ? [] : leases.termsOf(row.id, bound) };
  }

  /** A hub's report on a peer; for a peer that it does not watch, what follows from its having applied that. */
  reportOf(row: VirtualIpRow, at: { readonly hub: PeerId; readonly peerId: PeerId }): HubReport | null {
    const { observations, clock } = this.#parts;
    const instanceId = this.instanceOf(row, at.hub);
    if (instanceId === null) return null;
    if (this.isWatched(row, at)) return observations.reportOn(instanceId, at.peerId);
    // Nothing is known of a candidate that is not watched yet. The peer that has to give it up has lost the hub's vote with that:
    // a hub vouches for no peer that it does not watch.
    const isShutOut = at.peerId === boundPeer(row) && this.isInSync(instanceId);
    return isShutOut ? { reachable: false, sinceMs: clock.steady(), streamOpenedMs: 0 } : null;
  }

  /** What the health check of its holder, or of the peer that has to release it, found last. */
  checkOf(row: VirtualIpRow): CheckReport | null {
    const peerId = boundPeer(row);
    const instanceId = peerId === null ? null : this.instanceOf(row, peerId);
    return instanceId === null ? null : this.#parts.observations.checkOf(instanceId, row.id);
  }

  /** Whether the fleet in memory has a newer epoch of it. */
  isOutdated(row: VirtualIpRow): boolean {
    const item = this.#parts.network(row.network_id)?.item(row.id);
    return item?.type === 'virtual_ip' && item.epoch > row.epoch;
  }

  /** The machine of a peer; null: the peer was deleted, and its machine is not known. */
  instanceOf(row: VirtualIpRow, peerId: PeerId): InstanceId | null {
    const peer = this.#parts.network(row.network_id)?.peer(peerId);
    if (peer !== undefined) return peer.instanceId;
    const { transition: move } = row;
    return move?.from_peer_id === peerId ? move.from_instance_id : null;
  }

  isInSync(instanceId: InstanceId): boolean {
    const node = this.#parts.node(instanceId);
    const applied = appliedBy(this.#parts, instanceId);
    return node !== undefined && applied !== null && isAbreast(node, applied);
  }

  #peerFacts(row: VirtualIpRow, peerId: PeerId): PeerFacts {
    const { network, node, observations } = this.#parts;
    const peer = network(row.network_id)?.peer(peerId);
    const instanceId = this.instanceOf(row, peerId);
    const isTerminated = row.transition?.from_peer_id === peerId && row.transition.from_terminated;
    return {
      hostname: (instanceId === null ? undefined : node(instanceId)?.hostname) ?? peerId,
      connected: instanceId !== null && observations.isConnected(instanceId),
      applied: (instanceId === null ? null : appliedBy(this.#parts, instanceId))?.revision ?? -1,
      inSync: instanceId !== null && this.isInSync(instanceId),
      draining: peer?.draining ?? false,
      presence: peer !== undefined ? 'attached' : isTerminated ? 'terminated' : 'detached',
    };
  }

  #nameOf(row: VirtualIpRow, peerId: PeerId): string {
    const instanceId = this.instanceOf(row, peerId);
    return (instanceId === null ? undefined : this.#parts.node(instanceId)?.hostname) ?? `hub ${peerId}`;
  }

  isWatched(row: VirtualIpRow, at: { readonly hub: PeerId; readonly peerId: PeerId }): boolean {
    const index = this.#parts.network(row.network_id);
    const hub = index?.transit.find((one) => one.id === at.hub);
    if (index === undefined || hub === undefined || index.peer(at.peerId) === undefined) return false;
    const makesWatched = (item: Item | undefined) =>
      item?.type === 'virtual_ip' &&
      !item.anycast &&
      item.candidates.length > 1 &&
      item.candidates.includes(at.peerId);
    if (makesWatched(index.item(row.id))) return true;
    for (const item of index.items()) if (makesWatched(item)) return true;
    return false;
  }
}

/** What a machine is known to have applied: by its report to this process, or to another one. */
export function appliedBy(
  { node, observations }: Pick<StateReaderParts, 'node' | 'observations'>,
  instanceId: InstanceId,
): Held | null {
  const own = node(instanceId)?.applied ?? null;
  const heard = observations.applied(instanceId);
  if (own === null || heard === null) return own ?? heard;
  return own.revision > heard.revision ? own : heard;
}

/** The peer whose lease counts: the holder, or the peer that has to release the address. */
export function boundPeer(row: VirtualIpRow): PeerId | null {
  const { current_holder_peer_id: holder, releasing_peer_id: peerId } = row;
  return leaseholderOf({ holder, releasing: peerId === null ? null : { peerId, sequence: 0, sinceMs: 0 } });
}
