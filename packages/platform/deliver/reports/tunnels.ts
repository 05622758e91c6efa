// What nodes see of their tunnels, on its way into the database: fresh handshakes soon, counters later, the newest
// word of each tunnel only.
import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import {
  counterFlushMs,
  freshHandshakeMs,
  reportFlushMs,
  reportRowsMax,
  tunnelReportsMax,
} from '@powernode/core/limits';
import { formatEndpoint, parseEndpoint } from '@powernode/core/net/address';
import type { Observed, TunnelObservation } from '@powernode/core/wire/node-stream';
import type { Clock } from '../../trust/clock.ts';
import type { NodeState } from '../nodes/node-state.ts';
import type { SideKeys } from './side-keys.ts';
import type { PeerSights, Transition } from './sights.ts';

/** One tunnel as one node sees it, as it is stored. */
export interface TunnelRow {
  readonly instance_id: string;
  readonly interface: string;
  readonly public_key: string;
  readonly last_handshake_at: string | null;
  readonly rx_bytes: number;
  readonly tx_bytes: number;
  readonly endpoint: string | null;
}

/** A node has said all that it sees: rows that it did not renew since then are of tunnels that are gone. */
export interface Renewal {
  readonly instanceId: string;
  readonly sinceMs: number;
}

/** What is to be written for one account at once. */
export interface TunnelReport {
  readonly rows: readonly TunnelRow[];
  readonly renewals: readonly Renewal[];
  readonly transitions: readonly Transition[];
}

interface Waiting {
  readonly rows: Map<string, TunnelRow>;
  readonly renewals: Map<string, Renewal>;
  readonly transitions: Transition[];
}

export interface TunnelParts {
  readonly clock: Clock;
  readonly fleet: FleetIndex;
  readonly sights: PeerSights;
  readonly keys: SideKeys;
  /** Called when something waits: no later than after so long it should be taken. */
  readonly due: (delayMs: number) => void;
}

const interfaceShape = /^wg-([a-z0-9]{1,9})(?:-\d{1,2})?$/;

export class TunnelReports {
  readonly #parts: TunnelParts;
  readonly #waiting = new Map<string, Waiting>();
  #size = 0;

  constructor(parts: TunnelParts) {
    this.#parts = parts;
  }

  observed(node: NodeState, tunnels: Observed['tunnels']): void {
    const { clock, due } = this.#parts;
    const now = clock.now();
    let fresh = false;
    for (const tunnel of tunnels) {
      const handshakeMs = handshakeOf(tunnel, now);
      if (!this.#take(node, tunnel, { handshakeMs, now })) continue;
      if (handshakeMs !== null && now - handshakeMs < freshHandshakeMs) fresh = true;
    }
    if (this.#size > 0) due(fresh ? reportFlushMs : counterFlushMs);
  }

  renewed(node: NodeState, sinceMs: number): void {
    const { instanceId } = node;
    this.#of(node.accountId).renewals.set(instanceId, { instanceId, sinceMs });
    this.#parts.due(counterFlushMs);
  }

  transition(transition: Transition): void {
    this.#of(transition.sight.accountId).transitions.push(transition);
    this.#parts.due(0);
  }

  /** Takes what waits, at most so many rows of an account at once. */
  take(): [accountId: string, report: TunnelReport][] {
    const taken: [string, TunnelReport][] = [];
    for (const [accountId, waiting] of this.#waiting) {
      const rows: TunnelRow[] = [];
      for (const [key, row] of waiting.rows) {
        if (rows.length >= reportRowsMax) break;
        rows.push(row);
        waiting.rows.delete(key);
      }
      this.#size -= rows.length;
      const transitions = waiting.transitions.splice(0);
      // Rows still waiting would be taken for gone.
      const renewals = waiting.rows.size > 0 ? [] : [...waiting.renewals.values()];
      if (waiting.rows.size === 0) this.#waiting.delete(accountId);
      else this.#parts.due(reportFlushMs);
      taken.push([accountId, { rows, renewals, transitions }]);
    }
    return taken;
  }

  /** Back, because it could not be written. What came meanwhile is newer. */
  putBack(accountId: string, report: TunnelReport): void {
    const waiting = this.#of(accountId);
    for (const row of report.rows) {
      const key = keyOf(row);
      if (waiting.rows.has(key) || this.#size >= tunnelReportsMax) continue;
      waiting.rows.set(key, row);
      this.#size++;
    }
    for (const renewal of report.renewals) {
      if (!waiting.renewals.has(renewal.instanceId)) waiting.renewals.set(renewal.instanceId, renewal);
    }
    waiting.transitions.unshift(...report.transitions);
  }

  /** Whether it was of a tunnel that is to be there. */
  #take(
    node: NodeState,
    tunnel: TunnelObservation,
    { handshakeMs, now }: { readonly handshakeMs: number | null; readonly now: number },
  ): boolean {
    const { fleet, sights, keys } = this.#parts;
    const handle = interfaceShape.exec(tunnel.interface)?.[1];
    const network = fleet.networksOf(node.instanceId).find((one) => one.network.handle === handle);
    const other = sights.of(tunnel.public_key);
    const seenIn = other?.networkId ?? keys.of(tunnel.public_key)?.networkId;
    if (network === undefined || seenIn !== network.network.id) return false;
    // What a leaf interface or a device does says nothing of a peer's tunnels to its hubs.
    if (handshakeMs !== null && other !== undefined) {
      const own = sights.of(network.peerOfInstance(node.instanceId)?.publicKey ?? '');
      for (const sight of [other, own]) {
        const transition = sight === undefined ? null : sights.seen(sight, handshakeMs, now);
        if (transition !== null) this.transition(transition);
      }
    }
    this.#put(node, tunnel, handshakeMs);
    return true;
  }

  #put(node: NodeState, tunnel: TunnelObservation, handshakeMs: number | null): void {
    const endpoint = tunnel.endpoint === null ? null : parseEndpoint(tunnel.endpoint);
    const row: TunnelRow = {
      instance_id: node.instanceId,
      interface: tunnel.interface,
      public_key: tunnel.public_key,
      last_handshake_at: handshakeMs === null ? null : new Date(handshakeMs).toISOString(),
      rx_bytes: tunnel.rx_bytes,
      tx_bytes: tunnel.tx_bytes,
      endpoint: endpoint === null ? null : formatEndpoint(endpoint),
    };
    const { rows } = this.#of(node.accountId);
    const key = keyOf(row);
    if (!rows.has(key)) {
      if (this.#size >= tunnelReportsMax) return;
      this.#size++;
    }
    rows.set(key, row);
  }

  #of(accountId: string): Waiting {
    let waiting = this.#waiting.get(accountId);
    if (waiting === undefined) {
      waiting = { rows: new Map(), renewals: new Map(), transitions: [] };
      this.#waiting.set(accountId, waiting);
    }
    return waiting;
  }
}

function keyOf(row: TunnelRow): string {
  return `${row.instance_id}/${row.interface}/${row.public_key}`;
}

/** By the node's clock. One that is ahead says no more than that it happened. */
function handshakeOf(tunnel: TunnelObservation, nowMs: number): number | null {
  if (tunnel.last_handshake_at === null) return null;
  const at = Date.parse(tunnel.last_handshake_at);
  return Number.isNaN(at) || at <= 0 ? null : Math.min(at, nowMs);
}
