// All open streams of this process: joins sockets with sessions, and looks after them in turns.
import type { InstanceId } from '@powernode/core/ids';
import * as limits from '@powernode/core/limits/node-stream';
import type { WebSocket } from 'ws';
import type { Clock } from '../../trust/clock.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { type Measure, StreamBudget } from './budget.ts';
import { WebSocketChannel } from './channel.ts';
import { Claims, type Verdict } from './claims.ts';
import { DocumentSendLimiter } from './document-send-limiter.ts';
import { type Elsewhere, type ElsewhereParts, StreamsElsewhere } from './elsewhere.ts';
import type { OpenedStream, StreamCertificate } from './node-listener.ts';
import { Session, type SessionParts } from './session.ts';

export type StreamParts = Omit<
  SessionParts,
  'node' | 'channel' | 'remoteAddress' | 'clock' | 'reports' | 'sendLimiter' | 'beatMs'
> & {
  readonly reports: SessionParts['reports'] & {
    left(node: NodeState): void;
    /** The machine cost too much, and has to stay away so long. */
    limited(node: NodeState, what: { readonly measure: Measure; readonly pauseMs: number }): void;
    /** It was within its budget for long. */
    calmed(node: NodeState): void;
    /** A second machine with its identity was refused; nothing was heard of such a one for long. */
    duplicated(node: NodeState, what: { readonly refusedAddress: string }): void;
    alone(node: NodeState): void;
  };
  readonly clock: Clock;
  /** The other processes of the platform. */
  readonly others: Pick<ElsewhereParts, 'processId' | 'bus' | 'holderOf'>;
};

type Meter = (count: (budget: StreamBudget) => Measure | null) => boolean;

/** A clock that never jumps. */
const steadyMs = () => performance.now();

/** CPU time of this thread: that of other threads does not count. */
function processorMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

export class Streams {
  readonly #parts: StreamParts & Pick<SessionParts, 'sendLimiter' | 'beatMs'>;
  readonly #groups = Array.from({ length: limits.streamGroups }, () => new Set<Session>());
  readonly #certificates = new Map<Session, StreamCertificate>();
  /** All streams of each machine: its own, and those that have not said hello or are being proved. */
  readonly #ofMachine = new Map<InstanceId, Set<Session>>();
  readonly #claims: Claims<Session>;
  readonly #elsewhere: StreamsElsewhere;
  /** Machines about which another process is being asked. */
  readonly #asking = new Set<NodeState>();
  #turn = 0;
  #opened = 0;
  #count = 0;
  #lastLeft: () => void = () => undefined;

  constructor(parts: StreamParts) {
    this.#parts = {
      ...parts,
      sendLimiter: new DocumentSendLimiter(parts.clock),
      beatMs: () => beatMsOf(this.#count),
    };
    this.#claims = new Claims({
      clock: parts.clock,
      steady: steadyMs,
      grant: (session) => this.#grant(session),
    });
    const nodeOf = (instanceId: InstanceId) => parts.dispatcher.nodes.get(instanceId);
    this.#elsewhere = new StreamsElsewhere({
      ...parts.others,
      clock: parts.clock,
      prove: (instanceId) => {
        const node = nodeOf(instanceId);
        return node === undefined ? null : this.#claims.prove(node);
      },
      duplicated: (instanceId, refusedAddress) => {
        const node = nodeOf(instanceId);
        if (node !== undefined) this.#duplicated(node, refusedAddress);
      },
    });
  }

  get count(): number {
    return this.#count;
  }

  *nodes(): IterableIterator<NodeState> {
    for (const group of this.#groups) {
      for (const { node, current } of group) if (current) yield node;
    }
  }

  /** How long a machine has to stay away still because it cost too much; 0: it may come. */
  waitMs(node: NodeState): number {
    return node.budget?.waitMs() ?? 0;
  }

  /** Whether a machine is there that answers on the stream of this node. */
  isThere(node: NodeState): Promise<boolean> {
    return this.#claims.isThere(node);
  }

  open({ node, socket, line, address, certificate }: OpenedStream): void {
    const channel = new WebSocketChannel(socket);
    const session: Session = new Session({
      ...this.#parts,
      node,
      channel,
      remoteAddress: address,
      claim: (claimant) => this.#claim(claimant),
    });
    const group = this.#groups[this.#opened % limits.streamGroups];
    this.#opened++;
    this.#count++;
    group?.add(session);
    this.#certificates.set(session, certificate);
    const siblings = this.#ofMachine.get(node.instanceId) ?? new Set();
    this.#ofMachine.set(node.instanceId, siblings.add(session));
    const meter = this.#meter({ session, socket });
    // Beside the library, so that what it keeps or answers by itself is counted too: fragments, pings.
    line.on('data', (chunk: Buffer) => meter((budget) => budget.bytes(chunk.length)));
    socket.on('message', (data, isBinary) => {
      if (meter((budget) => budget.frame())) return;
      const before = processorMs();
      // A whole message in one Buffer is what ws gives unless configured otherwise.
      session.received(isBinary ? '' : (data as Buffer).toString('utf8'));
      meter((budget) => budget.worked(processorMs() - before));
    });
    socket.on('ping', () => {
      if (!meter((budget) => budget.frame())) session.heard();
    });
    socket.on('pong', (data) => {
      if (!session.answered(data.toString('utf8'))) meter((budget) => budget.frame());
    });
    // A broken frame or a broken line; ws closes the socket after it.
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      this.#parts.log.debug({ instanceId: node.instanceId, code }, 'a stream was closed');
      group?.delete(session);
      this.#certificates.delete(session);
      siblings.delete(session);
      if (siblings.size === 0) this.#ofMachine.delete(node.instanceId);
      this.#count--;
      session.closed();
      this.#parts.reports.left(node);
      if (this.#count === 0) this.#lastLeft();
    });
    this.#endMute(siblings);
    // One that has another stream already says at its hello who it is.
    if (node.stream === null) this.#grant(session);
    else if (node.ended) session.end('revoked');
  }

  /** One group in each turn. */
  tick(): void {
    this.#turn = (this.#turn + 1) % limits.streamGroups;
    for (const session of this.#groups[this.#turn] ?? []) {
      session.tick();
      this.#lookCalm(session.node);
    }
  }

  /** Ends the streams that are older than their certificates allow. */
  endExpired(): void {
    const now = this.#parts.clock.now();
    for (const [session, { expiresAt }] of this.#certificates) {
      if (expiresAt.getTime() <= now) session.end('certificate');
    }
  }

  /** The machine does not belong to the fleet any more: its streams end, also those that have said nothing yet. */
  revoke(instanceId: InstanceId): void {
    for (const session of this.#ofMachine.get(instanceId) ?? []) session.end('revoked');
  }

  /** Ends the machine's streams that were opened with none of these certificates. */
  endOthers(instanceId: InstanceId, serials: readonly string[]): void {
    for (const [session, { serial }] of this.#certificates) {
      if (session.node.instanceId === instanceId && !serials.includes(serial)) session.end('certificate');
    }
  }

  /** Says that the platform goes; whoever does not answer soon is cut off. */
  async close(): Promise<void> {
    this.#elsewhere.close();
    for (const session of this.#sessions()) session.end('closing');
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      this.#lastLeft = resolve;
      this.#parts.clock.after(limits.lastWordsMs, resolve);
    });
    for (const session of this.#sessions()) session.terminate();
  }

  /** Counts something; true when the stream is over, by this or before. */
  #meter({ session, socket }: { readonly session: Session; readonly socket: WebSocket }): Meter {
    const { node } = session;
    const budget = (node.budget ??= new StreamBudget(steadyMs));
    return (count) => {
      if (session.hasEnded) return true;
      const measure = count(budget);
      if (measure === null) return false;
      const { counters, reports, log, clock } = this.#parts;
      const pauseMs = budget.exceeded();
      counters.streamsLimited++;
      log.warn({ instanceId: node.instanceId, measure, pauseMs }, 'a machine is over its budget');
      session.limited(measure, pauseMs);
      // Nothing more of it is read: not even whether it has read the reason.
      socket.pause();
      clock.after(limits.lastWordsMs, () => socket.terminate());
      node.wasLimited = true;
      reports.limited(node, { measure, pauseMs });
      return true;
    };
  }

  /** Whoever has the certificate may open streams, but not keep as many as it likes without a hello. */
  #endMute(siblings: ReadonlySet<Session>): void {
    const mute = [...siblings].filter((session) => session.beforeHello);
    for (const session of mute.slice(0, -limits.streamsBeforeHelloMax)) {
      this.#parts.counters.streamsLost++;
      session.terminate();
    }
  }

  #lookCalm(node: NodeState): void {
    if (node.duplicateMs !== null && steadyMs() - node.duplicateMs > limits.duplicateQuietMs) {
      node.duplicateMs = null;
      this.#parts.reports.alone(node);
    }
    if (!node.wasLimited || node.budget?.hasCalmed() !== true) return;
    node.wasLimited = false;
    this.#parts.reports.calmed(node);
  }

  #sessions(): Session[] {
    return this.#groups.flatMap((group) => [...group]);
  }

  #claim(session: Session): Verdict | Promise<Verdict> {
    if (this.#claims.isContested(session)) return this.#claimHere(session);
    if (this.#asking.has(session.node)) return 'later';
    const { node, remoteAddress } = session;
    const asked = this.#elsewhere.before(node.instanceId, remoteAddress);
    if (asked !== null) return this.#claimElsewhere(session, asked);
    const verdict = this.#claims.claim(session);
    // No process is known to have it: it is granted, and revoked if another process answers that it has.
    if (verdict === 'granted') {
      void this.#elsewhere.after(node.instanceId, remoteAddress).then((said) => {
        if (said === 'there') this.#refuse(session);
      });
    }
    return verdict;
  }

  async #claimElsewhere(session: Session, asked: Promise<Elsewhere>): Promise<Verdict> {
    this.#asking.add(session.node);
    const said = await asked;
    this.#asking.delete(session.node);
    if (session.hasEnded) return 'later';
    if (said === 'free') return this.#claimHere(session);
    // The process with the other stream writes the event.
    this.#parts.counters.streamsDuplicate++;
    return 'duplicate';
  }

  #claimHere(session: Session): Verdict | Promise<Verdict> {
    const verdict = this.#claims.claim(session);
    if (typeof verdict === 'string') return verdict;
    return verdict.then((found) => {
      if (found === 'duplicate') {
        this.#parts.counters.streamsDuplicate++;
        this.#duplicated(session.node, session.remoteAddress);
      }
      return found;
    });
  }

  #refuse(session: Session): void {
    if (session.hasEnded) return;
    this.#parts.counters.streamsDuplicate++;
    session.end('duplicate');
  }

  /** Another machine with the same identity was refused. */
  #duplicated(node: NodeState, remoteAddress: string): void {
    const { reports, log } = this.#parts;
    log.warn({ instanceId: node.instanceId, remoteAddress }, 'two machines have one identity');
    const isNew = node.duplicateMs === null;
    node.duplicateMs = steadyMs();
    if (isNew) reports.duplicated(node, { refusedAddress: remoteAddress });
  }

  #grant(session: Session): void {
    const { node } = session;
    const { counters, log } = this.#parts;
    this.#claims.granted(session);
    counters.streamsOpened++;
    log.debug({ instanceId: node.instanceId }, 'a stream was opened');
    const before = node.stream;
    node.stream = session;
    node.drainPending();
    if (before !== null) {
      counters.streamsReplaced++;
      before.end('replaced');
    }
    if (node.ended) session.end('revoked');
  }
}

/** So that all of them together cost no more than those at full beat. */
function beatMsOf(streams: number): number {
  const everyMs = Math.round((streams * limits.streamBeatMs) / limits.streamsAtFullBeatMax);
  return Math.min(Math.max(everyMs, limits.streamBeatMs), limits.streamBeatMaxMs);
}
