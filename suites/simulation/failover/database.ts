// The database of the simulation: one virtual IP, the peers of its network, what each instance has applied, and the
// numbered changes. A transaction holds the account's lock for a while, and is committed as a whole or not at all; the
// process that asked for it may never know which.
import type { Change } from '@powernode/core/compile/fleet-index';
import type { PeerModel } from '@powernode/core/compile/model';
import { networkModel, peerModel } from '@powernode/core/compile/model.fixture';
import { type ObjectChange, objectChange } from '@powernode/core/compile/object-change';
import { leaderExpiryMs } from '@powernode/core/limits/failover';
import {
  type VirtualIpRow,
  virtualIpModel,
} from '../../../packages/platform/actions/sdwan/virtual-ips/model.ts';
import type { MoveColumns } from '../../../packages/platform/actions/sdwan/virtual-ips/move-columns.ts';
import type { NumberedChanges } from '../../../packages/platform/deliver/nodes/account-queue.ts';
import type { Held } from '../../../packages/platform/deliver/nodes/node-state.ts';
import type { FleetModel } from '../../../packages/platform/deliver/nodes/replay.ts';
import { Member, type World } from './world.ts';

/** Identifiers are UUIDs wherever they cross a process boundary. */
export function idOf(number: number): string {
  return `01980000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

export const accountId = idOf(1);
export const virtualIpId = idOf(2);
const network = networkModel({ id: idOf(3), accountId });

/** A spoke that may hold the address. */
export function candidatePeer(number: number): PeerModel {
  const id = idOf(0x100 + number);
  return peerModel({ id, instanceId: id, networkId: network.id, hostAddress: `fd00::${number}` });
}

export function hubPeer(slot: number): PeerModel {
  const id = idOf(0x200 + slot);
  return peerModel({
    id,
    instanceId: id,
    networkId: network.id,
    hostAddress: `fd00::a${slot}`,
    hubSlot: slot,
    endpoint: `192.0.2.${slot}:51820`,
  });
}

/** What a process reads at a start. */
export interface Loaded {
  readonly sequence: number;
  readonly model: FleetModel;
  readonly changes: readonly NumberedChanges[];
  readonly applied: ReadonlyMap<string, Held>;
}

export interface DatabaseParts {
  readonly candidates: number;
  readonly hubs: number;
  /** Holders ask the service at the address. */
  readonly checked: boolean;
}

export class Database extends Member {
  row: VirtualIpRow;
  readonly peers: Map<string, PeerModel>;
  readonly changes: NumberedChanges[] = [];
  /** What each instance was last stored to have applied. */
  readonly applied = new Map<string, Held>();
  moves = 0;
  #leader: { readonly name: string; readonly at: number } | null = null;
  #isLocked = false;
  readonly #waiting: (() => void)[] = [];

  constructor(world: World, parts: DatabaseParts) {
    super(world, 'db');
    const candidates = Array.from({ length: parts.candidates }, (_, i) => candidatePeer(i + 1));
    const hubs = Array.from({ length: parts.hubs }, (_, i) => hubPeer(i + 1));
    this.peers = new Map([...candidates, ...hubs].map((peer) => [peer.id, peer]));
    const [primary, ...others] = candidates.map(({ id }) => id);
    const { checked } = parts;
    this.row = firstRow({ primary: primary ?? '', others, preempt: world.chance(0.3), checked });
    this.changes.push({
      sequence: 1,
      changes: [
        { kind: 'network_created', network },
        ...[...this.peers.values()].map((after) => peerChange({ before: null, after })),
        { kind: 'item_changed', networkId: network.id, before: null, after: virtualIpModel(this.row) },
      ],
    });
  }

  get sequence(): number {
    return this.changes.length;
  }

  load(): Loaded {
    const items = new Map([[virtualIpId, virtualIpModel(this.row)]]);
    return {
      sequence: this.sequence,
      model: new Map([[network.id, { network, peers: new Map(this.peers), items }]]),
      changes: this.changes.slice(-40),
      applied: new Map(this.applied),
    };
  }

  changesAfter(sequence: number): readonly NumberedChanges[] {
    return this.changes.slice(sequence);
  }

  /** Runs when nothing else holds the account's lock; `done` gives it back. */
  lock(run: (done: () => void) => void): void {
    if (this.#isLocked) {
      this.#waiting.push(() => this.lock(run));
      return;
    }
    this.#isLocked = true;
    run(() => {
      this.#isLocked = false;
      this.#waiting.shift()?.();
    });
  }

  /** Claims leadership; says whether the process leads now. */
  lead(name: string): boolean {
    const leader = this.#leader;
    if (leader !== null && leader.name !== name && this.steadyMs - leader.at < leaderExpiryMs) return false;
    this.#leader = { name, at: this.steadyMs };
    return true;
  }

  get leader(): string | null {
    return this.#leader?.name ?? null;
  }

  /** Writes the row with the change that follows for the network. */
  move(columns: MoveColumns, now: Date): NumberedChanges {
    const before = this.row;
    this.row = { ...before, ...columns, updated_at: now, revision: before.revision + 1 };
    if (this.row.epoch !== before.epoch) this.moves++;
    const models = { before: virtualIpModel(before), after: virtualIpModel(this.row) };
    return this.#number([{ kind: 'item_changed', networkId: network.id, ...models }]);
  }

  /** Writes what no node is to be different by. */
  note(columns: MoveColumns, now: Date): void {
    this.row = { ...this.row, ...columns, updated_at: now };
  }

  /** The network has these hubs from here on. */
  setHubs(slots: ReadonlySet<number>, all: number): NumberedChanges {
    const changes: Change[] = [];
    for (let slot = 1; slot <= all; slot++) {
      const hub = hubPeer(slot);
      const before = this.peers.get(hub.id) ?? null;
      const after = slots.has(slot) ? hub : null;
      const change = objectChange(before, after);
      if (change === null || (before !== null && after !== null)) continue;
      if (after === null) this.peers.delete(hub.id);
      else this.peers.set(hub.id, after);
      changes.push(peerChange(change));
    }
    return this.#number(changes);
  }

  #number(changes: readonly Change[]): NumberedChanges {
    const numbered = { sequence: this.sequence + 1, changes };
    this.changes.push(numbered);
    return numbered;
  }
}

function peerChange(change: ObjectChange<PeerModel>): Change {
  return { kind: 'peer_changed', networkId: network.id, ...change };
}

function firstRow(of: {
  readonly primary: string;
  readonly others: string[];
  readonly preempt: boolean;
  readonly checked: boolean;
}): VirtualIpRow {
  const made = new Date(1_790_000_000_000);
  return {
    id: virtualIpId,
    account_id: accountId,
    network_id: network.id,
    name: 'vip',
    address: 'fd00::f1',
    ipv4_address: null,
    anycast: false,
    health_check: of.checked ? { protocol: 'tcp', port: 53, interval_ms: 200, fall: 3, rise: 2 } : null,
    failed_checks: [],
    error_since: null,
    primary_holder_peer_id: of.primary,
    failover_holder_peer_ids: of.others,
    preempt: of.preempt,
    hold_down_seconds: 1,
    state: 'pending',
    state_detail: null,
    current_holder_peer_id: of.primary,
    releasing_peer_id: null,
    release_sequence: null,
    successor_peer_id: null,
    transition: {
      reason: 'created',
      detail: 'created',
      actor: 'operator',
      decided_at: made.toISOString(),
      from_peer_id: null,
      from_instance_id: null,
      from_terminated: false,
      terms: [],
      given_sequence: 1,
    },
    epoch: 1,
    last_transition_at: null,
    created_at: made,
    updated_at: made,
    revision: 1,
  };
}
