// All virtual IPs, while this process leads: each with its row and its machine (watch.ts), fed with what changes, and
// what it wants done, done.
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import { virtualIpRetryMs, virtualIpSweepMs } from '@powernode/core/limits';
import type { Effect } from '@powernode/core/virtual-ips/state';
import type { Logger } from 'pino';
import type { VirtualIpRow } from '../../deliver/item-models.ts';
import type { BusMessage } from '../../events/event-bus.ts';
import { inPlatform } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';
import type { Ear } from './ear.ts';
import type { Facts } from './facts.ts';
import { defaultFailoverMode, failoverModes } from './policy.ts';
import { type PendingRequest, pendingRequests } from './requests.ts';
import { Watch } from './watch.ts';
import { Void, type WriteEffect, type WriteParts, withdrawLost, write } from './writes.ts';

export interface LeadParts extends Omit<WriteParts, 'took'> {
  readonly facts: Facts;
  readonly ear: Ear;
  readonly clock: Clock;
  readonly log: Logger;
  readonly steady: () => number;
  readonly caughtUp: (accountId: string, sequence: number) => Promise<void>;
  /** Takes what the fleet has taken, so that what holders may act on is known. */
  readonly settle: () => void;
}

export class Lead {
  readonly #parts: LeadParts;
  readonly #watches = new Map<string, Watch>();
  /** Which of them have to do with a peer, and with a machine. */
  readonly #byPeer = new Map<string, Set<Watch>>();
  readonly #byInstance = new Map<string, Set<Watch>>();
  #modes = new Map<string, PolicyMode>();
  readonly #unread = new Set<string>();
  #reading = false;
  readonly #writing = new Set<Promise<void>>();
  #isReady = false;
  #ended = false;
  #callOff: () => void = () => undefined;

  constructor(parts: LeadParts) {
    this.#parts = parts;
  }

  /** Reads all that others may have written, and only then begins to answer and to decide. */
  async begin(): Promise<void> {
    const { store } = this.#parts;
    const read = await inPlatform(store, async (trx) => ({
      rows: await trx.selectFrom('virtual_ips').selectAll().orderBy('id').execute(),
      modes: await failoverModes(trx),
      requests: await pendingRequests(trx),
    }));
    if (this.#ended) return;
    this.#modes = read.modes;
    this.#parts.settle();
    this.#isReady = true;
    for (const row of read.rows) this.#admit(row, read.requests);
    this.#sweep();
    void this.#read();
  }

  /** Whether holders can be told what is theirs, and what is not. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves when nothing is being written any more. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#callOff();
    for (const watch of this.#watches.values()) watch.end();
    this.#watches.clear();
    await Promise.all(this.#writing);
  }

  /** A holder asks: whether it is answered. */
  holds(virtualIpId: string, peerId: string, epoch: number): boolean {
    return this.#watches.get(virtualIpId)?.holds(peerId, epoch) ?? false;
  }

  has(virtualIpId: string): boolean {
    return this.#watches.has(virtualIpId);
  }

  watchesOfNetwork(networkId: string): Watch[] {
    return [...this.#watches.values()].filter((watch) => watch.networkId === networkId);
  }

  watchesOfPeer(peerId: string): Iterable<Watch> {
    return [...(this.#byPeer.get(peerId) ?? [])];
  }

  watch(virtualIpId: string): Watch | undefined {
    return this.#watches.get(virtualIpId);
  }

  /** The row has been changed by somebody else. */
  changed(virtualIpId: string): void {
    this.#unread.add(virtualIpId);
    void this.#read();
  }

  gone(virtualIpId: string): void {
    const watch = this.#watches.get(virtualIpId);
    if (watch === undefined) return;
    this.#watches.delete(virtualIpId);
    this.#uninterest(watch);
    watch.end();
    if (watch.approvalId === null) return;
    withdrawLost(this.#parts, watch, watch.approvalId).catch((error: unknown) =>
      this.#parts.log.warn({ err: error }, 'a request for a virtual IP that is gone waits until it expires'),
    );
  }

  /** Something about its candidates, its hubs or its terms is another than before. */
  refresh(watch: Watch): void {
    const { facts } = this.#parts;
    // Somebody else has moved it: its row is being read, and what is known is of the one before.
    if (facts.isOutdated(watch.row)) return;
    this.#interest(watch);
    const row = facts.rowOf(watch.row);
    if (row.candidates.join() !== watch.state.row.candidates.join()) watch.feed({ kind: 'row', row });
    watch.feed({ kind: 'terms', ...facts.termsOf(watch.row) });
    watch.feed({ kind: 'peers', peers: facts.factsOf(watch.row) });
    this.#words(watch);
  }

  /** A machine is connected, gone, or has applied something. */
  seen(instanceId: string): void {
    for (const watch of [...(this.#byInstance.get(instanceId) ?? [])]) {
      this.#applied(watch);
      watch.feed({ kind: 'peers', peers: this.#parts.facts.factsOf(watch.row) });
      this.#words(watch);
    }
  }

  /** A hub has said something of a peer. */
  said(hubOf: (networkId: string) => string | null, peerId: string): void {
    for (const watch of this.watchesOfPeer(peerId)) {
      const hub = hubOf(watch.networkId);
      if (hub !== null) watch.word(hub, peerId, this.#parts.facts.wordOf(watch.row, { hub, peerId }));
    }
  }

  told(message: BusMessage): void {
    if (message.kind !== 'event') return;
    const { kind, payload } = message.event;
    if (kind === 'system.policy.set') void this.#tryReadModes();
    const decided = /^system\.approval\.(approved|rejected|failed)$/.exec(kind)?.[1];
    if (decided === undefined) return;
    for (const watch of this.#watches.values()) {
      if (watch.approvalId !== null && watch.approvalId === payload['approval_id'])
        this.#decided(watch, decided);
    }
  }

  #decided(watch: Watch, decided: string): void {
    const { approval } = watch.state;
    watch.approvalId = null;
    if (approval === null) return;
    // What was approved is in the row already. Without it, it would look as if nobody had been asked.
    if (decided === 'approved') {
      void this.#readAgain(watch).then(() => watch.feed({ kind: 'approval', approval: null }));
    } else watch.feed({ kind: 'approval', approval: { ...approval, status: 'answered' } });
  }

  #admit(row: VirtualIpRow, requests: readonly PendingRequest[]): void {
    if (row.anycast || this.#watches.has(row.id)) return;
    const { facts, clock, steady } = this.#parts;
    this.#forgetReplaced(row);
    const mode = this.#modes.get(row.account_id) ?? defaultFailoverMode();
    const watch = new Watch(row, facts.stateOf(row, mode), {
      clock,
      steady,
      perform: (of, effect) => this.#perform(of, effect),
    });
    this.#watches.set(row.id, watch);
    this.#interest(watch);
    const request = requests.find((one) => one.virtualIpId === row.id);
    if (request !== undefined) watch.asked(request);
    watch.feed({ kind: 'lead', leading: true });
  }

  #perform(watch: Watch, effect: Exclude<Effect, { kind: 'wake' | 'answer' }>): void {
    if (effect.kind === 'prove') return this.#prove(watch, effect);
    const writing = this.#write(watch, effect).finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }

  async #write(watch: Watch, effect: WriteEffect): Promise<void> {
    const { log, caughtUp } = this.#parts;
    try {
      await write({ ...this.#parts, took: (of, row) => this.#took(of, row) }, watch, effect);
      watch.feed({ kind: 'wrote', what: effect.kind, done: true });
    } catch (error) {
      const about = { err: error, virtualIpId: watch.id, effect: effect.kind };
      if (error instanceof Void) log.debug(about, 'what was decided about a virtual IP is void');
      else log.warn(about, 'a virtual IP could not be written, and is looked at again');
      if (error instanceof Void && error.behind !== null) await caughtUp(watch.accountId, error.behind);
      await this.#readAgain(watch);
      watch.feed({ kind: 'wrote', what: effect.kind, done: false });
    }
  }

  /** Before anything else: it may have been written after all, when the answer was lost. */
  async #readAgain(watch: Watch): Promise<void> {
    while (!this.#ended && this.#watches.get(watch.id) === watch) {
      try {
        const [row] = await this.#rows([watch.id]);
        await this.#readModes();
        if (row === undefined) this.gone(watch.id);
        else this.#took(watch, row);
        return;
      } catch (error) {
        this.#parts.log.debug({ err: error, virtualIpId: watch.id }, 'a virtual IP is read again later');
        await new Promise<void>((resolve) => this.#parts.clock.after(virtualIpRetryMs, resolve));
      }
    }
  }

  #took(watch: Watch, row: VirtualIpRow): void {
    if (isOlder(row, watch.row)) return;
    const { facts, bounds, settle } = this.#parts;
    settle();
    watch.row = row;
    watch.feed({ kind: 'row', row: facts.rowOf(row) });
    bounds.keep(row.id, [row.current_holder_peer_id, row.releasing_peer_id]);
    // What its holder has applied may have been heard while the row was another one.
    this.#forgetReplaced(row);
    this.refresh(watch);
  }

  #prove(watch: Watch, { number, peerId, hubs }: Extract<Effect, { kind: 'prove' }>): void {
    const { facts, ear } = this.#parts;
    for (const hub of hubs) {
      const confirm = () => watch.feed({ kind: 'confirmed', hub, number });
      const instanceId = facts.instanceOf(watch.row, hub);
      if (instanceId === null) continue;
      if (facts.isWatched(watch.row, { hub, peerId })) {
        ear.ask(instanceId, peerId, (alive) => {
          if (alive === false) confirm();
        });
      } else if (facts.isInSync(instanceId)) confirm();
    }
  }

  #words(watch: Watch): void {
    const { facts } = this.#parts;
    const hubs = facts.hubsOf(watch.row);
    for (const peerId of facts.peersOf(watch.row)) {
      for (const hub of hubs) watch.word(hub, peerId, facts.wordOf(watch.row, { hub, peerId }));
    }
  }

  #applied(watch: Watch): void {
    if (this.#forgetReplaced(watch.row))
      watch.feed({ kind: 'terms', ...this.#parts.facts.termsOf(watch.row) });
  }

  /** Says whether its holder can act on less than before. */
  #forgetReplaced({ id, current_holder_peer_id: holder }: VirtualIpRow): boolean {
    return holder !== null && this.#parts.bounds.applied(id, holder);
  }

  #interest(watch: Watch): void {
    this.#uninterest(watch);
    const { facts } = this.#parts;
    const peers = [...facts.peersOf(watch.row), ...facts.hubsOf(watch.row)];
    for (const peerId of peers) {
      add(this.#byPeer, peerId, watch);
      const instanceId = facts.instanceOf(watch.row, peerId);
      if (instanceId !== null) add(this.#byInstance, instanceId, watch);
    }
    watch.interests = { peers, instances: peers.flatMap((id) => facts.instanceOf(watch.row, id) ?? []) };
  }

  #uninterest(watch: Watch): void {
    for (const peerId of watch.interests.peers) this.#byPeer.get(peerId)?.delete(watch);
    for (const instanceId of watch.interests.instances) this.#byInstance.get(instanceId)?.delete(watch);
  }

  async #read(): Promise<void> {
    if (this.#reading || !this.#isReady) return;
    this.#reading = true;
    while (this.#unread.size > 0 && !this.#ended) {
      const ids = [...this.#unread];
      this.#unread.clear();
      try {
        for (const row of await this.#rows(ids)) {
          const watch = this.#watches.get(row.id);
          if (watch === undefined) this.#admit(row, []);
          else this.#took(watch, row);
        }
      } catch (error) {
        this.#parts.log.warn({ err: error }, 'virtual IPs are read again later');
        for (const id of ids) this.#unread.add(id);
        await new Promise<void>((resolve) => this.#parts.clock.after(virtualIpRetryMs, resolve));
      }
    }
    this.#reading = false;
  }

  #rows(ids: readonly string[]): Promise<VirtualIpRow[]> {
    return inPlatform(this.#parts.store, (trx) =>
      trx.selectFrom('virtual_ips').selectAll().where('id', 'in', ids).execute(),
    );
  }

  async #readModes(): Promise<void> {
    const modes = await inPlatform(this.#parts.store, failoverModes);
    if (this.#ended) return;
    this.#modes = modes;
    for (const watch of this.#watches.values()) {
      const mode = modes.get(watch.accountId) ?? defaultFailoverMode();
      if (watch.state.mode !== mode) watch.feed({ kind: 'mode', mode });
    }
  }

  /** What cannot be read now is read when all of them are looked through. */
  async #tryReadModes(): Promise<void> {
    try {
      await this.#readModes();
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'the policy for virtual IPs is read again later');
    }
  }

  /** What was told by the bus may have been lost on its way. */
  #sweep(): void {
    this.#callOff = this.#parts.clock.after(virtualIpSweepMs, () => void this.#sweepOnce());
  }

  async #sweepOnce(): Promise<void> {
    try {
      await this.#readModes();
      await this.#checkRequests();
    } catch (error) {
      this.#parts.log.debug({ err: error }, 'virtual IPs are looked through later');
    }
    if (!this.#ended) this.#sweep();
  }

  async #checkRequests(): Promise<void> {
    const waiting = [...this.#watches.values()].filter((watch) => watch.approvalId !== null);
    if (waiting.length === 0) return;
    const rows = await inPlatform(this.#parts.store, (trx) =>
      trx
        .selectFrom('approvals')
        .select(['id', 'status'])
        .where(
          'id',
          'in',
          waiting.flatMap((watch) => watch.approvalId ?? []),
        )
        .execute(),
    );
    const statuses = new Map(rows.map((row) => [row.id, row.status]));
    for (const watch of waiting) {
      const status = statuses.get(watch.approvalId ?? '');
      if (status !== undefined && status !== 'pending') this.#decided(watch, status);
    }
  }
}

function isOlder(row: VirtualIpRow, known: VirtualIpRow): boolean {
  if (row.revision !== known.revision) return row.revision < known.revision;
  return row.updated_at < known.updated_at;
}

function add(map: Map<string, Set<Watch>>, key: string, watch: Watch): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([watch]));
  else set.add(watch);
}
