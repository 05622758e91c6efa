// Endpoints of spokes for paths without a hub: gathered from what hubs see of their leaf interfaces. When most hubs see
// one at the same endpoint, its NAT maps it to that for everybody (endpoint-independent mapping, RFC 4787 §4.1), and
// others may call it there. One of three with another report has not seen a move yet, or lies: its report alone removes no
// path. What follows is decided elsewhere (`onDirectEndpoint`).

import type { Delta, DeltaSubscriber } from '@powernode/core/compile/deltas';
import { isTransit } from '@powernode/core/compile/entries';
import type { Change, FleetIndex } from '@powernode/core/compile/fleet-index';
import type { AccountId, NetworkId, PeerId, PublicKey } from '@powernode/core/ids';
import { reportRetryMs } from '@powernode/core/limits/node-stream';
import {
  directGatherMs,
  directMovePauseMaxMs,
  directSpokesMax,
  directStableMs,
  directWaitMs,
} from '@powernode/core/limits/overlay';
import { parseEndpoint } from '@powernode/core/net/address';
import { endpointRefusal, prefixesFrom } from '@powernode/core/net/special-addresses';
import type { TunnelObservation } from '@powernode/core/wire/node-stream';
import type { Logger } from 'pino';
import type { Clock } from '../../trust/clock.ts';
import type { NodeState } from '../nodes/node-state.ts';
import type { DirectAndDeviceKeys } from './direct-and-device-keys.ts';

export interface DirectEndpoint {
  readonly accountId: AccountId;
  readonly networkId: NetworkId;
  readonly peerId: PeerId;
  /** The key that was seen there; an endpoint of another key means nothing. */
  readonly directKey: PublicKey;
  readonly natKind: 'cone' | 'symmetric';
  /** null: every one who calls is shown another endpoint. */
  readonly endpoint: string | null;
  /** Hubs that see it there. */
  readonly seenBy: number;
  /** All hubs that could see it have. */
  readonly complete: boolean;
}

/** Writes what follows for the peer and answers the change, or null when nothing does. */
export type OnDirectEndpoint = (
  direct: DirectEndpoint,
) => Promise<{ readonly sequence: number; readonly changes: readonly Change[] } | null>;

export interface DirectEndpointsParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly fleet: FleetIndex;
  readonly keys: DirectAndDeviceKeys;
  readonly onDirectEndpoint: OnDirectEndpoint;
  readonly changed: (accountId: AccountId, sequence: number, changes: readonly Change[]) => void;
}

type Evaluated = Pick<DirectEndpoint, 'natKind' | 'endpoint' | 'seenBy' | 'complete'>;

interface Seen {
  readonly accountId: AccountId;
  readonly networkId: NetworkId;
  readonly peerId: PeerId;
  readonly directKey: PublicKey;
  /** By hub's peer. */
  readonly endpoints: Map<PeerId, string>;
  readonly sinceMs: number;
  due: boolean;
  /** How often the endpoint changed for the other spokes without a pause of `directStableMs`; and when last. */
  moves: number;
  movedAtMs: number;
}

export class DirectEndpoints implements DeltaSubscriber {
  readonly #parts: DirectEndpointsParts;
  /** By direct key. */
  readonly #seen = new Map<PublicKey, Seen>();
  /** Networks in which a place has become free. */
  readonly #refills = new Set<NetworkId>();
  #closed = false;

  constructor(parts: DirectEndpointsParts) {
    this.#parts = parts;
  }

  close(): void {
    this.#closed = true;
  }

  onDelta(delta: Delta): void {
    if (delta.kind !== 'peer_changed' && delta.kind !== 'peer_removed') return;
    const { before } = delta;
    const after = delta.kind === 'peer_changed' ? delta.after : null;
    if (before.directKey !== null && before.directKey !== after?.directKey) {
      this.#seen.delete(before.directKey);
    }
    const hasEndpoint = after !== null && after.directEndpoint !== null;
    if (before.directEndpoint !== null && !hasEndpoint) this.#refillIn(before.networkId);
  }

  observed(node: NodeState, tunnel: TunnelObservation): void {
    const key = this.#parts.keys.of(tunnel.public_key);
    if (key === undefined || key.peerId === null || tunnel.endpoint === null) return;
    const network = this.#parts.fleet.network(key.networkId);
    const hub = network?.peerOfInstance(node.instanceId);
    if (hub === undefined || !isTransit(hub)) return;
    if (endpointRefusal(tunnel.endpoint, prefixesFrom([network?.network.prefix ?? null])) !== null) return;
    const seen = this.#seen.get(tunnel.public_key) ?? {
      accountId: node.accountId,
      networkId: key.networkId,
      peerId: key.peerId,
      directKey: tunnel.public_key,
      endpoints: new Map<PeerId, string>(),
      sinceMs: this.#parts.clock.steady(),
      due: false,
      moves: 0,
      movedAtMs: Number.NEGATIVE_INFINITY,
    };
    this.#seen.set(tunnel.public_key, seen);
    if (seen.endpoints.get(hub.id) === tunnel.endpoint) return;
    seen.endpoints.set(hub.id, tunnel.endpoint);
    this.#evaluateIn(seen, this.#pauseOf(seen));
  }

  /** An endpoint that changes again and again is reported ever more seldom: each time every other spoke calls it. */
  #pauseOf(seen: Seen): number {
    if (this.#parts.clock.steady() - seen.movedAtMs > directStableMs) seen.moves = 0;
    return Math.min(directGatherMs * 2 ** seen.moves, directMovePauseMaxMs);
  }

  /** Hubs report within moments of each other; one of them alone would count as all. */
  #evaluateIn(seen: Seen, delayMs: number): void {
    if (seen.due) return;
    seen.due = true;
    this.#parts.clock.after(delayMs, () => {
      seen.due = false;
      void this.#evaluate(seen);
    });
  }

  async #evaluate(seen: Seen): Promise<void> {
    const { clock } = this.#parts;
    const evaluated = this.#assess(seen);
    if (evaluated === null) return;
    // A hub that is away is not waited for for ever.
    if (!evaluated.complete && clock.steady() - seen.sinceMs < directWaitMs)
      return this.#evaluateIn(seen, directGatherMs);
    await this.#report(seen, evaluated);
  }

  /** null: nothing can be said of it, or it is a key that its peer does not have any more. */
  #assess(seen: Seen): Evaluated | null {
    const network = this.#parts.fleet.network(seen.networkId);
    const peer = network?.peer(seen.peerId);
    if (this.#closed || network === undefined || peer?.directKey !== seen.directKey) {
      this.#seen.delete(seen.directKey);
      return null;
    }
    const hubs = new Set(network.transit.map((hub) => hub.id));
    for (const hubId of seen.endpoints.keys()) if (!hubs.has(hubId)) seen.endpoints.delete(hubId);
    const evaluated = endpointOf([...seen.endpoints.values()]);
    return evaluated === null ? null : { ...evaluated, complete: seen.endpoints.size >= hubs.size };
  }

  /** Returns whether a change followed. */
  async #report(seen: Seen, evaluated: Evaluated): Promise<boolean> {
    const { log, onDirectEndpoint, changed } = this.#parts;
    const { accountId, networkId, peerId, directKey } = seen;
    try {
      const change = await onDirectEndpoint({ accountId, networkId, peerId, directKey, ...evaluated });
      if (change !== null) {
        changed(accountId, change.sequence, change.changes);
        seen.moves++;
        seen.movedAtMs = this.#parts.clock.steady();
      }
      return change !== null;
    } catch (error) {
      log.warn({ err: error, peerId }, 'where a spoke can be met is written again later');
      this.#evaluateIn(seen, reportRetryMs);
      return false;
    }
  }

  #refillIn(networkId: NetworkId): void {
    if (this.#refills.has(networkId)) return;
    this.#refills.add(networkId);
    this.#parts.clock.after(directGatherMs, () => {
      this.#refills.delete(networkId);
      void this.#refill(networkId);
    });
  }

  /** Gives places that have become free to spokes that were seen when there was none. */
  async #refill(networkId: NetworkId): Promise<void> {
    const network = this.#parts.fleet.network(networkId);
    if (network === undefined) return;
    let free = directSpokesMax;
    for (const peer of network.peers()) if (peer.directEndpoint !== null) free--;
    for (const seen of [...this.#seen.values()]) {
      if (free <= 0) return;
      if (seen.networkId !== networkId || network.peer(seen.peerId)?.directEndpoint !== null) continue;
      const evaluated = this.#assess(seen);
      if (evaluated === null || evaluated.endpoint === null || !evaluated.complete) continue;
      // Direct paths may have been switched off, or somebody else was first.
      if (!(await this.#report(seen, evaluated))) return;
      free--;
    }
  }
}

/** What the endpoints that hubs see say of the NAT before them; those of different families are not compared. */
export function endpointOf(
  endpoints: readonly string[],
): Pick<DirectEndpoint, 'natKind' | 'endpoint' | 'seenBy'> | null {
  const families = Map.groupBy(endpoints, (text) => parseEndpoint(text)?.address.family ?? 0);
  families.delete(0);
  const most = [...families.values()].sort((a, b) => b.length - a.length)[0];
  if (most === undefined) return null;
  const alike = Map.groupBy(most, (endpoint) => endpoint);
  const [[endpoint, seen] = ['', []]] = [...alike].sort(([, a], [, b]) => b.length - a.length);
  // A NAT that maps by destination shows each of them another endpoint.
  return seen.length * 2 > most.length
    ? { natKind: 'cone', endpoint, seenBy: seen.length }
    : { natKind: 'symmetric', endpoint: null, seenBy: most.length };
}
