// Where spokes can be met without a hub: gathered from what hubs see of their leaf interfaces. When all hubs see one at
// the same place, its NAT gives that place to everybody (endpoint-independent mapping, RFC 4787 §4.1), and others may
// call it there. What follows is decided elsewhere (`onDirectPlace`).
import { isTransit } from '@powernode/core/compile/entries';
import type { Change, FleetIndex } from '@powernode/core/compile/fleet-index';
import { directGatherMs, directWaitMs, reportRetryMs } from '@powernode/core/limits';
import { parseEndpoint } from '@powernode/core/net/address';
import type { TunnelObservation } from '@powernode/core/wire/node-stream';
import type { Logger } from 'pino';
import type { Clock } from '../../trust/clock.ts';
import type { NodeState } from '../nodes/node-state.ts';
import type { SideKeys } from './side-keys.ts';

export interface DirectPlace {
  readonly accountId: string;
  readonly networkId: string;
  readonly peerId: string;
  /** The key that was seen there; a place of another key means nothing. */
  readonly directKey: string;
  readonly natKind: 'cone' | 'symmetric';
  /** null: every one who calls is shown another place. */
  readonly endpoint: string | null;
  /** All hubs that could see it have. */
  readonly complete: boolean;
}

/** Writes what follows for the peer and answers the change, or null when nothing does. */
export type OnDirectPlace = (
  place: DirectPlace,
) => Promise<{ readonly sequence: number; readonly changes: readonly Change[] } | null>;

export interface DirectPlacesParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly fleet: FleetIndex;
  readonly keys: SideKeys;
  readonly onDirectPlace: OnDirectPlace;
  readonly changed: (accountId: string, sequence: number, changes: readonly Change[]) => void;
}

interface Seen {
  readonly accountId: string;
  readonly networkId: string;
  readonly peerId: string;
  readonly directKey: string;
  /** By hub's peer. */
  readonly endpoints: Map<string, string>;
  readonly sinceMs: number;
  due: boolean;
}

export class DirectPlaces {
  readonly #parts: DirectPlacesParts;
  /** By direct key. */
  readonly #seen = new Map<string, Seen>();
  #closed = false;

  constructor(parts: DirectPlacesParts) {
    this.#parts = parts;
  }

  close(): void {
    this.#closed = true;
  }

  observed(node: NodeState, tunnel: TunnelObservation): void {
    const key = this.#parts.keys.of(tunnel.public_key);
    if (key === undefined || key.peerId === null || tunnel.endpoint === null) return;
    const network = this.#parts.fleet.network(key.networkId);
    const hub = network?.peerOfInstance(node.instanceId);
    if (hub === undefined || !isTransit(hub)) return;
    const seen = this.#seen.get(tunnel.public_key) ?? {
      accountId: node.accountId,
      networkId: key.networkId,
      peerId: key.peerId,
      directKey: tunnel.public_key,
      endpoints: new Map<string, string>(),
      sinceMs: this.#parts.clock.now(),
      due: false,
    };
    this.#seen.set(tunnel.public_key, seen);
    if (seen.endpoints.get(hub.id) === tunnel.endpoint) return;
    seen.endpoints.set(hub.id, tunnel.endpoint);
    this.#evaluateIn(seen, directGatherMs);
  }

  /** Hubs report within moments of each other; one of them alone would be taken for all. */
  #evaluateIn(seen: Seen, delayMs: number): void {
    if (seen.due) return;
    seen.due = true;
    this.#parts.clock.after(delayMs, () => {
      seen.due = false;
      void this.#evaluate(seen);
    });
  }

  async #evaluate(seen: Seen): Promise<void> {
    const { clock, fleet, log, onDirectPlace, changed } = this.#parts;
    const network = fleet.network(seen.networkId);
    const peer = network?.peer(seen.peerId);
    if (this.#closed || network === undefined || peer?.directKey !== seen.directKey) {
      this.#seen.delete(seen.directKey);
      return;
    }
    const hubs = new Set(network.transit.map((hub) => hub.id));
    for (const hubId of seen.endpoints.keys()) if (!hubs.has(hubId)) seen.endpoints.delete(hubId);
    const judged = placeOf([...seen.endpoints.values()]);
    if (judged === null) return;
    const complete = seen.endpoints.size >= hubs.size;
    // A hub that is away is not waited for for ever.
    if (!complete && clock.now() - seen.sinceMs < directWaitMs) return this.#evaluateIn(seen, directGatherMs);
    const { accountId, networkId, peerId, directKey } = seen;
    try {
      const change = await onDirectPlace({ accountId, networkId, peerId, directKey, complete, ...judged });
      if (change !== null) changed(accountId, change.sequence, change.changes);
    } catch (error) {
      log.warn({ err: error, peerId }, 'where a spoke can be met is written again later');
      this.#evaluateIn(seen, reportRetryMs);
    }
  }
}

/** What the places that hubs see say of the NAT before them; places of different families are not compared. */
export function placeOf(endpoints: readonly string[]): Pick<DirectPlace, 'natKind' | 'endpoint'> | null {
  const families = Map.groupBy(endpoints, (text) => parseEndpoint(text)?.address.family ?? 0);
  families.delete(0);
  const most = [...families.values()].sort((a, b) => b.length - a.length)[0];
  if (most === undefined) return null;
  const places = new Set(most);
  const [endpoint = null] = places;
  return places.size === 1 ? { natKind: 'cone', endpoint } : { natKind: 'symmetric', endpoint: null };
}
