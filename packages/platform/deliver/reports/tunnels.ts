// What nodes see of their tunnels, on its way into the database: fresh handshakes soon, counters later, the newest
// report of each tunnel only.

import { formatDigest } from '@powernode/core/compile/digest';
import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { AccountId, InstanceId } from '@powernode/core/ids';
import {
  counterFlushMs,
  freshHandshakeMs,
  reportFlushMs,
  reportRowsMax,
  tunnelReportsMax,
} from '@powernode/core/limits/node-stream';
import { formatEndpoint, parseEndpoint } from '@powernode/core/net/address';
import { refusedAsEndpoint } from '@powernode/core/net/special-addresses';
import { tunnelKey } from '@powernode/core/wire/document';
import type { Observed, TunnelObservation } from '@powernode/core/wire/node-stream';
import type { Clock } from '../../trust/clock.ts';
import type { NodeState } from '../nodes/node-state.ts';
import type { DirectAndDeviceKeys } from './direct-and-device-keys.ts';
import type { PeerHandshakes, Transition } from './peer-handshakes.ts';

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

/** A node has said all that it sees: rows that it did not renew since then are of tunnels that do not exist any more. */
export interface Renewal {
  readonly instanceId: InstanceId;
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
  readonly handshakes: PeerHandshakes;
  readonly keys: DirectAndDeviceKeys;
  /** Whether a machine is heard on a stream of this process. */
  readonly isHeard: (instanceId: InstanceId) => boolean;
  /** Called when something waits: no later than after so long it should be drained. */
  readonly due: (delayMs: number) => void;
}

const interfaceShape = /^wg-([a-z0-9]{1,9})(?:-\d{1,2})?$/;

export class TunnelReports {
  readonly #parts: TunnelParts;
  readonly #waiting = new Map<string, Waiting>();
  /** By machine and by the key of their entry: said of tunnels before the document with them was said to be applied. */
  readonly #early = new Map<string, Map<string, TunnelObservation>>();
  #size = 0;

  constructor(parts: TunnelParts) {
    this.#parts = parts;
  }

  /** Answers those that count: of tunnels that are in the document which the node has applied. */
  observed(node: NodeState, tunnels: Observed['tunnels']): TunnelObservation[] {
    const { clock, due } = this.#parts;
    const now = clock.now();
    let fresh = false;
    const counted = this.#inDocument(node, tunnels);
    for (const tunnel of counted) {
      const handshakeMs = handshakeOf(tunnel, now);
      this.#accept(node, tunnel, { handshakeMs, now });
      if (handshakeMs !== null && now - handshakeMs < freshHandshakeMs) fresh = true;
    }
    if (this.#size > 0) due(fresh ? reportFlushMs : counterFlushMs);
    return counted;
  }

  /** A node has applied a document: what it said before of the tunnels in it counts now. */
  applied(node: NodeState): TunnelObservation[] {
    const early = this.#early.get(node.instanceId);
    if (early === undefined) return [];
    this.#early.delete(node.instanceId);
    return this.observed(node, [...early.values()]);
  }

  /** The stream of a node has ended: it says everything again on the next one. */
  left(node: NodeState): void {
    this.#early.delete(node.instanceId);
  }

  #inDocument(node: NodeState, tunnels: Observed['tunnels']): TunnelObservation[] {
    const present = formatDigest(node.digest);
    const counted: TunnelObservation[] = [];
    for (const tunnel of tunnels) {
      const key = tunnelKey(tunnel);
      if (!this.#isWanted(node, tunnel, key)) continue;
      if (hasApplied(node, { key, present })) counted.push(tunnel);
      else this.#wait(node, key, tunnel);
    }
    return counted;
  }

  /** Whether the newest document of the node has that tunnel. */
  #isWanted(node: NodeState, tunnel: TunnelObservation, key: string): boolean {
    const { fleet, handshakes, keys } = this.#parts;
    const handle = interfaceShape.exec(tunnel.interface)?.[1];
    const network = fleet.networksOf(node.instanceId).find((one) => one.network.handle === handle);
    if (network === undefined) return false;
    const peer = handshakes.of(tunnel.public_key);
    const owner = keys.of(tunnel.public_key);
    const seenIn = peer?.networkId ?? owner?.networkId;
    if (seenIn !== network.network.id) return false;
    return network.hasTunnel(node.instanceId, key, peer?.peerId ?? owner?.peerId ?? null);
  }

  #wait(node: NodeState, key: string, tunnel: TunnelObservation): void {
    const early = this.#early.get(node.instanceId) ?? new Map<string, TunnelObservation>();
    this.#early.set(node.instanceId, early.set(key, tunnel));
  }

  renewed(node: NodeState, sinceMs: number): void {
    const { instanceId } = node;
    this.#of(node.accountId).renewals.set(instanceId, { instanceId, sinceMs });
    this.#parts.due(counterFlushMs);
  }

  transition(transition: Transition): void {
    this.#of(transition.record.accountId).transitions.push(transition);
    this.#parts.due(0);
  }

  /** Removes and returns what waits, at most `reportRowsMax` rows of an account at once. */
  drain(): [accountId: AccountId, report: TunnelReport][] {
    const drained: [string, TunnelReport][] = [];
    for (const [accountId, waiting] of this.#waiting) {
      const rows: TunnelRow[] = [];
      for (const [key, row] of waiting.rows) {
        if (rows.length >= reportRowsMax) break;
        rows.push(row);
        waiting.rows.delete(key);
      }
      this.#size -= rows.length;
      const transitions = waiting.transitions.splice(0);
      // Rows that still wait would count as deleted.
      const renewals = waiting.rows.size > 0 ? [] : [...waiting.renewals.values()];
      if (waiting.rows.size === 0) this.#waiting.delete(accountId);
      else this.#parts.due(reportFlushMs);
      drained.push([accountId, { rows, renewals, transitions }]);
    }
    return drained;
  }

  /** Back, because it could not be written. What came meanwhile is newer. */
  putBack(accountId: AccountId, report: TunnelReport): void {
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

  #accept(
    node: NodeState,
    tunnel: TunnelObservation,
    { handshakeMs, now }: { readonly handshakeMs: number | null; readonly now: number },
  ): void {
    const { fleet, handshakes, isHeard } = this.#parts;
    const other = handshakes.of(tunnel.public_key);
    // What a leaf interface or a device does says nothing of a peer's tunnels to its hubs.
    if (handshakeMs !== null && other !== undefined) {
      const self = fleet.network(other.networkId)?.peerOfInstance(node.instanceId);
      const own = self && handshakes.of(self.publicKey);
      // The other end speaks for itself; its neighbours do while it is not heard, once it has said that it shook hands.
      const speaksForOther = other.lastHandshakeMs !== null && !isHeard(other.instanceId);
      for (const record of speaksForOther ? [other, own] : [own]) {
        const transition = record === undefined ? null : handshakes.seen(record, handshakeMs, now);
        if (transition !== null) this.transition(transition);
      }
    }
    this.#put(node, tunnel, handshakeMs);
  }

  #put(node: NodeState, tunnel: TunnelObservation, handshakeMs: number | null): void {
    const endpoint = tunnel.endpoint === null ? null : parseEndpoint(tunnel.endpoint);
    const isPlace = endpoint !== null && refusedAsEndpoint(endpoint.address) === null;
    const row: TunnelRow = {
      instance_id: node.instanceId,
      interface: tunnel.interface,
      public_key: tunnel.public_key,
      last_handshake_at: handshakeMs === null ? null : new Date(handshakeMs).toISOString(),
      rx_bytes: tunnel.rx_bytes,
      tx_bytes: tunnel.tx_bytes,
      endpoint: isPlace ? formatEndpoint(endpoint) : null,
    };
    const { rows } = this.#of(node.accountId);
    const key = keyOf(row);
    if (!rows.has(key)) {
      if (this.#size >= tunnelReportsMax) return;
      this.#size++;
    }
    rows.set(key, row);
  }

  #of(accountId: AccountId): Waiting {
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

/** Whether the document that a node has applied has an entry which its newest one has. Not known counts as no. */
function hasApplied(
  node: NodeState,
  { key, present }: { readonly key: string; readonly present: string },
): boolean {
  if (node.applied === null) return false;
  if (node.applied.hash === present) return true;
  const held = BigInt(`0x${node.applied.hash}`);
  const passed = node.history.passed(key, { held, present: node.digest });
  // Untouched since then, or removed since then and put back: it was there.
  return passed !== null && (passed.length === 0 || passed[0] === null);
}

/** By the node's clock. One that is ahead says no more than that it happened. */
function handshakeOf(tunnel: TunnelObservation, nowMs: number): number | null {
  if (tunnel.last_handshake_at === null) return null;
  const at = Date.parse(tunnel.last_handshake_at);
  return Number.isNaN(at) || at <= 0 ? null : Math.min(at, nowMs);
}
