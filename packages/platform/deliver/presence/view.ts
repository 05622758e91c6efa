// Who is there, as it is shown: read from what is known in memory, at the moment of each question.

import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { AccountId, InstanceId, PeerId } from '@powernode/core/ids';
import type { Cause, MachinePresence } from '@powernode/core/presence/evaluate-peer';
import { messageOf } from '@powernode/core/presence/messages';
import type { Clock } from '../../trust/clock.ts';
import type { Evidence } from './evidence.ts';
import type { PeerRecord, PeerRecords } from './peer-records.ts';

/** A machine as it is shown. */
export interface InstancePresence {
  readonly state: MachinePresence['state'];
  readonly offlineSinceMs: number | null;
  readonly lastHeardMs: number | null;
  /** By whom; null: nobody. `peerId`: of the hub; null: the platform. */
  readonly lastHeardBy: { readonly peerId: PeerId | null; readonly name: string } | null;
}

/** A peer as it is shown. */
export interface PeerPresence {
  readonly reachable: boolean | null;
  readonly sinceMs: number | null;
  readonly because: { readonly code: Cause['code']; readonly detail: string } | null;
}

export interface PresenceViewParts {
  readonly fleet: FleetIndex;
  readonly clock: Pick<Clock, 'now'>;
  readonly evidence: Evidence;
  readonly peers: PeerRecords;
  readonly machines: ReadonlyMap<
    InstanceId,
    { readonly instanceId: InstanceId; readonly accountId: AccountId }
  >;
  readonly hostnameOf: (instanceId: InstanceId) => string | undefined;
}

const noPresence: PeerPresence = { reachable: null, sinceMs: null, because: null };

export class PresenceView {
  readonly #parts: PresenceViewParts;

  constructor(parts: PresenceViewParts) {
    this.#parts = parts;
  }

  onlineInstances(accountId: AccountId): string[] {
    const online: string[] = [];
    for (const { instanceId, accountId: owner } of this.#parts.machines.values()) {
      if (owner === accountId && this.#parts.evidence.isOnline(instanceId)) online.push(instanceId);
    }
    return online;
  }

  instance(instanceId: InstanceId): InstancePresence {
    const { state, sinceMs } = this.#parts.evidence.presence(instanceId);
    const own = this.#parts.evidence.lastHeardMs(instanceId);
    let lastHeardMs = own;
    let lastHeardBy: InstancePresence['lastHeardBy'] =
      own === null ? null : { peerId: null, name: 'the platform' };
    for (const { hubPeerId, atMs } of this.#hubsThatHeard(instanceId)) {
      if (state === 'online' || (lastHeardMs !== null && atMs <= lastHeardMs)) continue;
      lastHeardMs = atMs;
      lastHeardBy = { peerId: hubPeerId, name: this.#nameOf(hubPeerId) };
    }
    return { state, offlineSinceMs: state === 'offline' ? sinceMs : null, lastHeardMs, lastHeardBy };
  }

  peer(peerId: PeerId): PeerPresence {
    const record = this.#parts.peers.get(peerId);
    return record === undefined ? noPresence : this.#shown(record);
  }

  reachable(peerId: PeerId): boolean | null {
    return this.#parts.peers.get(peerId)?.verdict.reachable ?? null;
  }

  /** Ids of the account's peers of which that is known. */
  peersThat(accountId: AccountId, reachable: boolean): string[] {
    const found: string[] = [];
    for (const record of this.#parts.peers.all()) {
      if (record.accountId === accountId && record.verdict.reachable === reachable) found.push(record.peerId);
    }
    return found;
  }

  /** Whether a machine's own tunnel to a hub answers; null: it said nothing. */
  answers(instanceId: InstanceId, hubPeerId: PeerId): boolean | null {
    const report = this.#parts.evidence.tunnel(instanceId, hubPeerId);
    return report === undefined ? null : report.state === 'answers';
  }

  /** Machines of all accounts by whether they are heard. */
  *instanceCounts(): Generator<{ accountId: AccountId; state: MachinePresence['state']; count: number }> {
    const counts = new Map<string, Record<MachinePresence['state'], number>>();
    for (const { accountId, instanceId } of this.#parts.machines.values()) {
      const of = counts.get(accountId) ?? { online: 0, offline: 0, unknown: 0 };
      counts.set(accountId, of);
      of[this.#parts.evidence.presence(instanceId).state]++;
    }
    for (const [accountId, of] of counts) {
      for (const state of ['online', 'offline', 'unknown'] as const)
        yield { accountId, state, count: of[state] };
    }
  }

  /** How many addresses a hub hears, and how many it heard once and does not hear now. */
  heardCounts(hubInstanceId: InstanceId): { readonly heard: number; readonly silent: number } {
    return this.#parts.evidence.counts(hubInstanceId);
  }

  *#hubsThatHeard(instanceId: InstanceId): Generator<{ readonly hubPeerId: PeerId; readonly atMs: number }> {
    for (const network of this.#parts.fleet.networksOf(instanceId)) {
      const self = network.peerOfInstance(instanceId);
      if (self === undefined) continue;
      for (const hub of network.transit) {
        const report = this.#parts.evidence.heardBy(hub.instanceId, self.hostAddress);
        if (report === undefined) continue;
        yield { hubPeerId: hub.id, atMs: report.heard ? this.#parts.clock.now() : report.sinceMs };
      }
    }
  }

  #shown(record: PeerRecord): PeerPresence {
    const { reachable, because } = record.verdict;
    if (because === null) return { reachable, sinceMs: record.sinceMs, because: null };
    const detail = messageOf(because, {
      self: this.#nameOf(record.peerId),
      hub: (id) => this.#nameOf(id),
    });
    return { reachable, sinceMs: record.sinceMs, because: { code: because.code, detail } };
  }

  #nameOf(peerId: PeerId): string {
    const record = this.#parts.peers.get(peerId);
    return (record && this.#parts.hostnameOf(record.instanceId)) ?? peerId;
  }
}
