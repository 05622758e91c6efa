// All virtual IPs, from the moment at which this process begins to lead until it does not any more: a session for each
// (session.ts), the events that concern it, and the decisions that it wants written.
import type { Id, InstanceId, NetworkId, PeerId } from '@powernode/core/ids';
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import { virtualIpRetryMs, virtualIpSweepMs } from '@powernode/core/limits/failover';
import type { Effect } from '@powernode/core/virtual-ips/state';
import type { Logger } from 'pino';
import type { VirtualIpRow } from '../../actions/sdwan/virtual-ips/model.ts';
import type { BusMessage } from '../../events/event-bus.ts';
import type { Clock } from '../../trust/clock.ts';
import type { NodeReportIntake } from './node-report-intake.ts';
import type { OutstandingLeases } from './outstanding-leases.ts';
import { defaultFailoverMode } from './policy.ts';
import {
  type Decision,
  type FailoverRows,
  type FleetNodes,
  type PendingRequest,
  StaleDecision,
  type WriteEffect,
} from './ports.ts';
import { FailoverSession } from './session.ts';
import { boundPeer, type StateReader } from './state-reader.ts';

export interface TermParts {
  readonly rows: FailoverRows;
  readonly nodes: Pick<FleetNodes, 'sequenceOf' | 'caughtUp'>;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'debug' | 'warn'>;
  readonly reader: StateReader;
  readonly leases: OutstandingLeases;
  readonly intake: NodeReportIntake;
}

export class LeaderTerm {
  readonly #parts: TermParts;
  readonly #sessions = new Map<string, FailoverSession>();
  /** Which of them have to do with a peer, and with an instance. */
  readonly #byPeer = new Map<string, Set<FailoverSession>>();
  readonly #byInstance = new Map<string, Set<FailoverSession>>();
  #modes = new Map<string, PolicyMode>();
  readonly #unread = new Set<string>();
  #reading = false;
  readonly #writing = new Set<Promise<void>>();
  #isReady = false;
  #ended = false;
  #cancelSweep: () => void = () => undefined;

  constructor(parts: TermParts) {
    this.#parts = parts;
  }

  /** Reads all that others may have written, and only then begins to answer and to decide. */
  async begin(): Promise<void> {
    const read = await this.#parts.rows.snapshot();
    if (this.#ended) return;
    this.#modes = read.modes;
    this.#isReady = true;
    for (const row of read.rows) this.#admit(row, read.requests);
    this.#sweep();
    void this.#read();
  }

  /** Whether holders can be answered. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves when nothing is being written any more. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#cancelSweep();
    for (const session of this.#sessions.values()) session.end();
    this.#sessions.clear();
    await Promise.all(this.#writing);
  }

  /** A holder renews its lease: whether it is answered. */
  renews(virtualIpId: Id<'virtual_ip'>, peerId: PeerId, epoch: number): boolean {
    return this.#sessions.get(virtualIpId)?.renews(peerId, epoch) ?? false;
  }

  has(virtualIpId: Id<'virtual_ip'>): boolean {
    return this.#sessions.has(virtualIpId);
  }

  sessionsOfNetwork(networkId: NetworkId): FailoverSession[] {
    return [...this.#sessions.values()].filter((session) => session.networkId === networkId);
  }

  sessionsOfPeer(peerId: PeerId): Iterable<FailoverSession> {
    return [...(this.#byPeer.get(peerId) ?? [])];
  }

  session(virtualIpId: Id<'virtual_ip'>): FailoverSession | undefined {
    return this.#sessions.get(virtualIpId);
  }

  /** The row was changed outside of this term. */
  rowChanged(virtualIpId: Id<'virtual_ip'>): void {
    this.#unread.add(virtualIpId);
    void this.#read();
  }

  deleted(virtualIpId: Id<'virtual_ip'>): void {
    const session = this.#sessions.get(virtualIpId);
    if (session === undefined) return;
    this.#sessions.delete(virtualIpId);
    this.#unregister(session);
    session.end();
    if (session.approvalId === null) return;
    this.#parts.rows
      .withdrawRequest(session.accountId, session.approvalId)
      .catch((error: unknown) =>
        this.#parts.log.warn({ err: error }, 'a request for a deleted virtual IP waits until it expires'),
      );
  }

  /** Its candidates, hubs or terms may differ from before. */
  refresh(session: FailoverSession): void {
    const { reader } = this.#parts;
    // It was moved outside of this term: its row is being read, and what is known is of the one before.
    if (reader.isOutdated(session.row)) return;
    this.#register(session);
    const row = reader.rowOf(session.row);
    if (row.candidates.join() !== session.state.row.candidates.join()) session.feed({ kind: 'row', row });
    session.feed({ kind: 'terms', ...reader.termsOf(session.row) });
    session.feed({ kind: 'peers', peers: reader.factsOf(session.row) });
    this.#report(session);
  }

  /** An instance is connected, disconnected, or has applied a document. */
  instanceChanged(instanceId: InstanceId): void {
    for (const session of [...(this.#byInstance.get(instanceId) ?? [])]) {
      this.#applied(session);
      session.feed({ kind: 'peers', peers: this.#parts.reader.factsOf(session.row) });
      this.#report(session);
    }
  }

  /** A hub has reported on a peer. */
  reported(hubIn: (networkId: NetworkId) => string | null, peerId: PeerId): void {
    for (const session of this.sessionsOfPeer(peerId)) {
      const hub = hubIn(session.networkId);
      if (hub === null) continue;
      session.report(hub, peerId, this.#parts.reader.reportOf(session.row, { hub, peerId }));
    }
  }

  /** The health check of an instance for a virtual IP has found something else, or there is none any more. */
  checked(instanceId: string, virtualIpId: string): void {
    const session = this.#sessions.get(virtualIpId);
    const peerId = session === undefined ? null : boundPeer(session.row);
    if (session === undefined || peerId === null) return;
    const { reader } = this.#parts;
    if (reader.instanceOf(session.row, peerId) !== instanceId) return;
    session.feed({ kind: 'check', peerId, check: reader.checkOf(session.row) });
  }

  onMessage(message: BusMessage): void {
    if (message.kind !== 'event') return;
    const { kind, payload } = message.event;
    if (kind === 'system.policy.set') void this.#tryReadModes();
    const decided = /^system\.approval\.(approved|rejected|failed)$/.exec(kind)?.[1];
    if (decided === undefined) return;
    for (const session of this.#sessions.values()) {
      if (session.approvalId !== null && session.approvalId === payload['approval_id'])
        this.#decided(session, decided);
    }
  }

  #decided(session: FailoverSession, decided: string): void {
    const { approval } = session.state;
    session.approvalId = null;
    if (approval === null) return;
    // What was approved is in the row already. Without it, it would look as if nobody had been asked.
    if (decided === 'approved') {
      void this.#readAgain(session).then(() => session.feed({ kind: 'approval', approval: null }));
    } else session.feed({ kind: 'approval', approval: { ...approval, status: 'answered' } });
  }

  #admit(row: VirtualIpRow, requests: readonly PendingRequest[]): void {
    if (row.anycast || this.#sessions.has(row.id)) return;
    const { reader, clock } = this.#parts;
    this.#forgetReplaced(row);
    const mode = this.#modes.get(row.account_id) ?? defaultFailoverMode();
    const session = new FailoverSession(row, reader.stateOf(row, mode), {
      clock,
      perform: (of, effect) => this.#perform(of, effect),
    });
    this.#sessions.set(row.id, session);
    this.#register(session);
    const request = requests.find((one) => one.virtualIpId === row.id);
    if (request !== undefined) session.requested(request);
    session.feed({ kind: 'leadership', leading: true });
  }

  #perform(session: FailoverSession, effect: Exclude<Effect, { kind: 'wake' | 'acknowledge' }>): void {
    if (effect.kind === 'confirm_expiry') return this.#confirmExpiry(session, effect);
    const writing = this.#write(session, effect).finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }

  async #write(session: FailoverSession, effect: WriteEffect): Promise<void> {
    const { log, rows, nodes } = this.#parts;
    try {
      await rows.write(this.#decisionOf(session, effect));
      session.feed({ kind: 'written', what: effect.kind, done: true });
    } catch (error) {
      const about = { err: error, virtualIpId: session.id, effect: effect.kind };
      const isStale = error instanceof StaleDecision;
      if (isStale) log.debug(about, 'a decision about a virtual IP is stale');
      else log.warn(about, 'a virtual IP could not be written, and is looked at again');
      if (isStale && error.behind !== null) await nodes.caughtUp(session.accountId, error.behind);
      await this.#readAgain(session);
      session.feed({ kind: 'written', what: effect.kind, done: false });
    }
  }

  #decisionOf(session: FailoverSession, effect: WriteEffect): Decision {
    const { leases } = this.#parts;
    return {
      accountId: session.accountId,
      virtualIpId: session.id,
      effect,
      expected: { epoch: session.state.row.epoch, holder: session.state.row.holder },
      approvalId: session.approvalId,
      confirm: (sequence) => this.confirm(session, effect, sequence),
      oldTerms: (peerId) => leases.termsOf(session.id, peerId),
      committed: (row) => this.#accept(session, row),
      requested: (request) => session.requested(request),
    };
  }

  /** Under the account's lock, before the change with this number. */
  confirm(session: FailoverSession, effect: WriteEffect, sequence: number): void {
    if (effect.kind !== 'revoke' && effect.kind !== 'grant') return;
    // A change that was not accepted yet may have given the holder something else to act on.
    if (this.#parts.nodes.sequenceOf(session.accountId) < sequence - 1) {
      throw new StaleDecision('changes are missing', sequence - 1);
    }
    if (effect.kind === 'grant' && !session.state.isReleaseProven)
      throw new StaleDecision('it is not certain any more that no instance answers');
  }

  /** Before anything else: it may have been written after all, when the answer was lost. */
  async #readAgain(session: FailoverSession): Promise<void> {
    const { rows, clock, log } = this.#parts;
    while (!this.#ended && this.#sessions.get(session.id) === session) {
      try {
        const [row] = await rows.byId([session.id]);
        await this.#readModes();
        if (row === undefined) this.deleted(session.id);
        else this.#accept(session, row);
        return;
      } catch (error) {
        log.debug({ err: error, virtualIpId: session.id }, 'a virtual IP is read again later');
        await new Promise<void>((resolve) => clock.after(virtualIpRetryMs, resolve));
      }
    }
  }

  /** The row as it is stored now. */
  #accept(session: FailoverSession, row: VirtualIpRow): void {
    if (isOlder(row, session.row)) return;
    const { reader, leases } = this.#parts;
    session.row = row;
    session.feed({ kind: 'row', row: reader.rowOf(row) });
    leases.keep(row.id, [row.current_holder_peer_id, row.releasing_peer_id]);
    // What its holder has applied may have been reported while the row was another one.
    this.#forgetReplaced(row);
    this.refresh(session);
  }

  #confirmExpiry(
    session: FailoverSession,
    { number, peerId, hubs }: Extract<Effect, { kind: 'confirm_expiry' }>,
  ): void {
    const { reader, intake } = this.#parts;
    for (const hub of hubs) {
      const confirm = () => session.feed({ kind: 'confirmed', hub, number });
      const instanceId = reader.instanceOf(session.row, hub);
      if (instanceId === null) continue;
      if (reader.isWatched(session.row, { hub, peerId })) {
        intake.ask(instanceId, peerId, (alive) => {
          if (alive === false) confirm();
        });
      } else if (reader.isInSync(instanceId)) confirm();
    }
  }

  #report(session: FailoverSession): void {
    const { reader } = this.#parts;
    const hubs = reader.hubsOf(session.row);
    for (const peerId of reader.peersOf(session.row)) {
      for (const hub of hubs) session.report(hub, peerId, reader.reportOf(session.row, { hub, peerId }));
    }
  }

  #applied(session: FailoverSession): void {
    if (this.#forgetReplaced(session.row))
      session.feed({ kind: 'terms', ...this.#parts.reader.termsOf(session.row) });
  }

  /** Says whether its holder can act on less than before. */
  #forgetReplaced({ id, current_holder_peer_id: holder }: VirtualIpRow): boolean {
    return holder !== null && this.#parts.leases.applied(id, holder);
  }

  #register(session: FailoverSession): void {
    this.#unregister(session);
    const { reader } = this.#parts;
    const peers = [...reader.peersOf(session.row), ...reader.hubsOf(session.row)];
    const instances = peers.flatMap((id) => reader.instanceOf(session.row, id) ?? []);
    for (const peerId of peers) add(this.#byPeer, peerId, session);
    for (const instanceId of instances) add(this.#byInstance, instanceId, session);
    session.interests = { peers, instances };
  }

  #unregister(session: FailoverSession): void {
    for (const peerId of session.interests.peers) this.#byPeer.get(peerId)?.delete(session);
    for (const instanceId of session.interests.instances) this.#byInstance.get(instanceId)?.delete(session);
  }

  async #read(): Promise<void> {
    const { rows, clock, log } = this.#parts;
    if (this.#reading || !this.#isReady) return;
    this.#reading = true;
    while (this.#unread.size > 0 && !this.#ended) {
      const ids = [...this.#unread];
      this.#unread.clear();
      try {
        for (const row of await rows.byId(ids)) {
          const session = this.#sessions.get(row.id);
          if (session === undefined) this.#admit(row, []);
          else this.#accept(session, row);
        }
      } catch (error) {
        log.warn({ err: error }, 'virtual IPs are read again later');
        for (const id of ids) this.#unread.add(id);
        await new Promise<void>((resolve) => clock.after(virtualIpRetryMs, resolve));
      }
    }
    this.#reading = false;
  }

  async #readModes(): Promise<void> {
    const modes = await this.#parts.rows.modes();
    if (this.#ended) return;
    this.#modes = modes;
    for (const session of this.#sessions.values()) {
      const mode = modes.get(session.accountId) ?? defaultFailoverMode();
      if (session.state.mode !== mode) session.feed({ kind: 'mode', mode });
    }
  }

  /** What cannot be read now is read by the next sweep. */
  async #tryReadModes(): Promise<void> {
    try {
      await this.#readModes();
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'the policy for virtual IPs is read again later');
    }
  }

  /** Messages of the bus may have been lost. */
  #sweep(): void {
    this.#cancelSweep = this.#parts.clock.after(virtualIpSweepMs, () => void this.#sweepOnce());
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
    const waiting = this.#sessions
      .values()
      .flatMap((session) => {
        const { approvalId } = session;
        return approvalId === null ? [] : [{ session, approvalId }];
      })
      .toArray();
    if (waiting.length === 0) return;
    const statuses = await this.#parts.rows.requestStatuses(waiting.map(({ approvalId }) => approvalId));
    for (const { session, approvalId } of waiting) {
      // It may wait for another one by now, or for none.
      const status = session.approvalId === approvalId ? statuses.get(approvalId) : undefined;
      if (status !== undefined && status !== 'pending') this.#decided(session, status);
    }
  }
}

function isOlder(row: VirtualIpRow, known: VirtualIpRow): boolean {
  if (row.revision !== known.revision) return row.revision < known.revision;
  return row.updated_at < known.updated_at;
}

function add(map: Map<string, Set<FailoverSession>>, key: string, session: FailoverSession): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([session]));
  else set.add(session);
}
