// From committed changes to nodes: applies them in order to the fleet in memory, finds whom they reach, and has
// their streams written. Knows neither database nor sockets.

import { type DeltaSubscriber, withContents } from '@powernode/core/compile/deltas';
import type { Change, FleetIndex } from '@powernode/core/compile/fleet-index';
import type { Impact } from '@powernode/core/compile/impact';
import type { AccountId, InstanceId } from '@powernode/core/ids';
import { changesReadMax, gapGraceMs } from '@powernode/core/limits/node-stream';
import { type EntryTable, entryTable } from '@powernode/core/wire/document';
import type { Logger } from 'pino';
import type { Clock } from '../../trust/clock.ts';
import type { DeliveryCounters } from '../counters.ts';
import { AccountQueue, type NumberedChanges } from './account-queue.ts';
import { ownStep, sharedStep } from './history.ts';
import { NodeState } from './node-state.ts';

/** Where changes can be read again: the database, or a list in a simulation. */
export interface ChangeSource {
  /** In order, without a gap, at most `changesReadMax`. */
  read(accountId: AccountId, after: number): Promise<readonly NumberedChanges[]>;
  sequences(): Promise<readonly { readonly accountId: AccountId; readonly sequence: number }[]>;
}

export interface DispatcherParts {
  readonly fleet: FleetIndex;
  readonly source: ChangeSource;
  readonly clock: Clock;
  /** Calls soon, after what is running now (setImmediate). */
  readonly soon: (run: () => void) => void;
  readonly counters: DeliveryCounters;
  readonly log: Logger;
  /** Called in this order with what each change did. */
  readonly subscribers: readonly DeltaSubscriber[];
  /** Which entries which capability knows. Left out: as this version has them. */
  readonly table?: EntryTable;
}

interface Account {
  readonly queue: AccountQueue;
  /** Every change up to this number was written to the streams. */
  written: number;
  /** When the oldest change that is not written yet was announced. */
  since: number | null;
  closingGap: boolean;
  waiters: { readonly sequence: number; readonly resolve: () => void }[];
}

/** Changes applied in one go before the streams get their turn. */
const sliceMax = 100;

export class Dispatcher {
  readonly fleet: FleetIndex;
  readonly table: EntryTable;
  readonly nodes = new Map<InstanceId, NodeState>();
  readonly #parts: DispatcherParts;
  readonly #accounts = new Map<AccountId, Account>();
  #dirty = new Set<NodeState>();
  readonly #unwritten = new Set<Account>();
  #flushDue = false;
  #closed = false;

  constructor(parts: DispatcherParts) {
    this.fleet = parts.fleet;
    this.table = parts.table ?? entryTable;
    this.#parts = parts;
  }

  /** Nothing is read any more, and nobody waits any longer. */
  close(): void {
    this.#closed = true;
    for (const account of this.#accounts.values()) {
      for (const { resolve } of account.waiters.splice(0)) resolve();
    }
  }

  /** Says up to which change the fleet in memory is that of the account. */
  load(accountId: AccountId, sequence: number): void {
    this.#accounts.set(accountId, {
      queue: new AccountQueue(accountId, sequence),
      written: sequence,
      since: null,
      closingGap: false,
      waiters: [],
    });
  }

  sequenceOf(accountId: AccountId): number {
    return this.#accounts.get(accountId)?.queue.applied ?? 0;
  }

  changed(accountId: AccountId, sequence: number, changes?: readonly Change[]): void {
    const account = this.#account(accountId);
    account.queue.offer(sequence, changes);
    if (account.queue.applied < sequence) account.since ??= this.#parts.clock.steady();
    this.#drain(account);
  }

  caughtUp(accountId: AccountId, sequence: number): Promise<void> {
    const account = this.#account(accountId);
    if (account.written >= sequence) return Promise.resolve();
    return new Promise((resolve) => {
      account.waiters.push({ sequence, resolve });
      this.changed(accountId, sequence);
    });
  }

  /** As `caughtUp`, for all that is known of by now. */
  settled(accountId: AccountId): Promise<void> {
    return this.caughtUp(accountId, this.#account(accountId).queue.known);
  }

  /** Reads and applies the changes that the database has beyond those here. */
  async catchUp(): Promise<void> {
    for (const { accountId, sequence } of await this.#parts.source.sequences()) {
      if (sequence > this.sequenceOf(accountId)) this.changed(accountId, sequence);
    }
  }

  /** As `catchUp` for one account, and waits for it. */
  async refresh(accountId: AccountId): Promise<void> {
    await this.#read(this.#account(accountId));
  }

  #account(accountId: AccountId): Account {
    const account = this.#accounts.get(accountId);
    if (account !== undefined) return account;
    this.load(accountId, 0);
    return this.#account(accountId);
  }

  #drain(account: Account): void {
    for (let applied = 0; applied < sliceMax; applied++) {
      const next = account.queue.next();
      if (next === null) break;
      this.#apply(account, next);
    }
    if (account.queue.ready) this.#parts.soon(() => this.#drain(account));
    else if (account.queue.missing) this.#closeGap(account);
  }

  #apply(account: Account, { sequence, changes }: NumberedChanges): void {
    for (const change of changes) {
      const { impact, deltas } = this.fleet.apply(change);
      this.#reach(account.queue.accountId, sequence, impact);
      for (const delta of withContents(deltas)) {
        for (const subscriber of this.#parts.subscribers) subscriber.onDelta(delta);
      }
    }
    this.#parts.counters.changesTaken++;
    this.#unwritten.add(account);
    this.#scheduleFlush();
  }

  #reach(accountId: AccountId, sequence: number, impact: Impact): void {
    for (const { instances, patch } of impact.shared) {
      const step = sharedStep(patch);
      for (const instanceId of instances) {
        const node = this.#node(accountId, instanceId);
        node.reached(step, sequence);
        this.#dirty.add(node);
      }
    }
    for (const [instanceId, patch] of impact.single) {
      const node = this.#node(accountId, instanceId);
      node.reached(ownStep(patch), sequence);
      this.#dirty.add(node);
    }
  }

  /** A machine that joined by another process, and is seen here for the first time by what reaches it. */
  #node(accountId: AccountId, instanceId: InstanceId): NodeState {
    let node = this.nodes.get(instanceId);
    if (node === undefined) {
      node = new NodeState({
        instanceId,
        accountId,
        hostname: instanceId,
        desiredRevision: 0,
        digest: 0n,
        applied: null,
        lastHeartbeatMs: null,
        subsystems: [],
      });
      node.named = false;
      this.nodes.set(instanceId, node);
    }
    return node;
  }

  /** A missing change is usually on its way: transactions are announced in another order than they commit. */
  #closeGap(account: Account): void {
    if (account.closingGap) return;
    account.closingGap = true;
    this.#parts.clock.after(gapGraceMs, () => void this.#readMissing(account));
  }

  async #readMissing(account: Account): Promise<void> {
    const before = account.queue.applied;
    try {
      if (!account.queue.missing || this.#closed) return;
      this.#parts.counters.gapsRead++;
      await this.#read(account);
    } catch (error) {
      this.#parts.log.warn({ err: error, accountId: account.queue.accountId }, 'changes could not be read');
    } finally {
      account.closingGap = false;
      // Without progress the next comparison with the database tries again, so that this cannot spin.
      if (account.queue.missing && account.queue.applied > before) this.#closeGap(account);
    }
  }

  async #read(account: Account): Promise<void> {
    const { accountId } = account.queue;
    for (;;) {
      const rows = await this.#parts.source.read(accountId, account.queue.applied);
      for (const row of rows) {
        account.queue.offer(row.sequence, row.changes);
        this.#drainFully(account);
      }
      if (rows.length < changesReadMax) return;
    }
  }

  #drainFully(account: Account): void {
    for (let next = account.queue.next(); next !== null; next = account.queue.next()) {
      account.since ??= this.#parts.clock.steady();
      this.#apply(account, next);
    }
  }

  #scheduleFlush(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#parts.soon(() => this.#flush());
  }

  /** Hubs first: a first handshake that meets no peer is repeated only seconds later. */
  #flush(): void {
    this.#flushDue = false;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    const spokes: NodeState[] = [];
    for (const node of dirty) {
      if (!node.hasPending) continue;
      if (this.#isHub(node.instanceId)) node.stream?.deliver();
      else spokes.push(node);
    }
    for (const node of spokes) node.stream?.deliver();
    this.#notifyWaiters();
  }

  #notifyWaiters(): void {
    const now = this.#parts.clock.steady();
    for (const account of this.#unwritten) {
      account.written = account.queue.applied;
      if (account.since !== null) this.#parts.counters.batchWritten(now - account.since);
      account.since = account.queue.missing ? now : null;
      const reached = account.waiters.filter(({ sequence }) => sequence <= account.written);
      if (reached.length === 0) continue;
      account.waiters = account.waiters.filter(({ sequence }) => sequence > account.written);
      for (const { resolve } of reached) resolve();
    }
    this.#unwritten.clear();
  }

  #isHub(instanceId: InstanceId): boolean {
    return this.fleet
      .networksOf(instanceId)
      .some((network) => (network.peerOfInstance(instanceId)?.hubSlot ?? null) !== null);
  }
}
