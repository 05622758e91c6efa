// One stream of one node: hello, what the node is to have, what it reports. Speaks through a channel and keeps no
// timers; whoever holds sessions calls `tick`.
import { formatDigest } from '@powernode/core/compile/digest';
import * as failoverLimits from '@powernode/core/limits/failover';
import * as nodeStreamLimits from '@powernode/core/limits/node-stream';
import * as trustLimits from '@powernode/core/limits/trust';
import { earliestCapability } from '@powernode/core/wire/capability';
import {
  closeCodes,
  type Hello,
  type LeaseRenewMessage,
  type NodeMessage,
} from '@powernode/core/wire/node-stream';
import type { Logger } from 'pino';
import type { Clock } from '../../trust/clock.ts';
import type { DeliveryCounters } from '../counters.ts';
import type { Dispatcher } from '../nodes/dispatcher.ts';
import {
  beatFrame,
  currentFrame,
  deltaFrame,
  documentPieces,
  keysRetiredFrame,
  leaseAckFrame,
  retryFrame,
  type Version,
  welcomeFrame,
} from '../nodes/frames.ts';
import type { NodeState, NodeStream } from '../nodes/node-state.ts';
import type { Measure } from './budget.ts';
import type { Channel } from './channel.ts';
import type { Verdict } from './claims.ts';
import type { DocumentSendLimiter } from './document-send-limiter.ts';
import { EarlyFrames } from './early-frames.ts';
import { endings, laterText, limitedText, tryAgainLater } from './endings.ts';
import { readFirstFrame } from './first-frame.ts';
import type { NodeStreamSubscriber } from './node-stream-subscriber.ts';
import { PingQuestions } from './ping-questions.ts';
import { readFrame } from './read-frame.ts';
import type { ReportSink } from './report-sink.ts';

export interface SessionParts {
  readonly node: NodeState;
  readonly channel: Channel;
  readonly remoteAddress: string;
  readonly dispatcher: Dispatcher;
  readonly reports: ReportSink;
  readonly subscriber: NodeStreamSubscriber;
  readonly counters: DeliveryCounters;
  readonly sendLimiter: DocumentSendLimiter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly platformVersion: string;
  /** How often nodes are to say that they run, by how many there are. */
  readonly beatMs?: () => number;
  /** Whether the stream may be its machine's (claims.ts). Without it every stream is. */
  readonly claim?: (session: Session) => Verdict | Promise<Verdict>;
}

export class Session implements NodeStream {
  readonly #parts: SessionParts;
  #state: 'new' | 'claiming' | 'greeting' | 'open' | 'ended' = 'new';
  #run: string | null = null;
  /** Once hello was said. */
  #capability = earliestCapability;
  /** What came while it was not known whether the stream may be the machine's. */
  readonly #early = new EarlyFrames();
  readonly #endings = new Set<() => void>();
  /** The document that the node holds once it has read all that was sent. */
  #sentRevision = 0;
  /** By a clock that nobody sets. */
  #heardMs: number;
  readonly #openedMs: number;
  #helloMs = 0;
  #observedBefore = false;
  #waitsForLine = false;
  #resyncs: number[] = [];
  readonly #questions = new PingQuestions();

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#openedMs = parts.clock.steady();
    this.#heardMs = this.#openedMs;
  }

  get node(): NodeState {
    return this.#parts.node;
  }
  get ready(): boolean {
    return this.#state === 'open';
  }
  get remoteAddress(): string {
    return this.#parts.remoteAddress;
  }
  get run(): string | null {
    return this.#run;
  }
  /** Nothing that was read on it was a hello. */
  get beforeHello(): boolean {
    return this.#state === 'new';
  }
  get hasEnded(): boolean {
    return this.#state === 'ended';
  }
  /** Whether it is the stream that its node has now. */
  get current(): boolean {
    return this.node.stream === this;
  }

  /** Anything came from the node, a pong too. */
  heard(): void {
    this.#heardMs = this.#parts.clock.steady();
    if (this.current) this.node.heard(this.#parts.clock.now());
  }

  received(text: string): void {
    if (this.#state === 'ended') return;
    this.heard();
    this.#parts.counters.framesReceived++;
    if (this.#state === 'claiming') {
      if (!this.#early.keep(text)) this.#close(tryAgainLater, laterText);
      return;
    }
    if (this.beforeHello) return this.#first(text);
    const read = readFrame(text, this.#capability);
    if (read.kind === 'unreadable') return this.#malformed('a frame that is none of the protocol', read.why);
    if (read.kind === 'unknown') return this.#ignored(read.name);
    if (read.message.kind === 'hello') return this.#malformed('a second hello');
    this.#handle(read.message);
  }

  #first(text: string): void {
    const first = readFirstFrame(text);
    if (first.kind === 'unreadable') return this.#malformed('a first frame that is no hello', first.why);
    if (first.kind === 'outside') return this.#close(closeCodes.protocol, first.sentence);
    this.#capability = first.capability;
    void this.#greet(first.hello);
  }

  deliver(): void {
    const { node, channel, counters } = this.#parts;
    if (!this.ready || !node.hasPending || this.#waitsForLine) return;
    if (channel.backlogBytes > nodeStreamLimits.nodeBacklogBytesMax) return this.#waitForLine();
    const patch = node.drainPending();
    if (patch === null) return;
    this.#send(deltaFrame({ base: this.#sentRevision, to: this.#newest(), patch }));
    this.#sentRevision = node.desiredRevision;
    counters.deltasSent++;
  }

  /** A node that has not said hello yet is notified of them after its hello. */
  retireKeys(publicKeys: readonly string[]): void {
    if (this.#state !== 'greeting' && this.#state !== 'open') return;
    this.#send(keysRetiredFrame(publicKeys, this.#capability));
  }

  retry(): void {
    if (this.ready) this.#send(retryFrame());
  }

  acknowledgeLeases(answer: Pick<LeaseRenewMessage, 'sequence' | 'leases'>): void {
    if (this.#state !== 'ended') this.#send(leaseAckFrame(answer, this.#capability));
  }

  whenAnswered(run: () => void): void {
    if (this.#state === 'ended' || this.#questions.count >= failoverLimits.streamQuestionsMax) return;
    this.prove(run);
  }

  /** The same for a question that is never left out. */
  prove(answered: () => void): void {
    this.#parts.channel.ping(this.#questions.ask(answered));
  }

  /** Calls when the stream is over, which it must not be yet; answers how to call that off. */
  whenEnded(run: () => void): () => void {
    this.#endings.add(run);
    return () => this.#endings.delete(run);
  }

  /** The node answered a ping, with its payload. False: no ping had it. */
  answered(payload: string): boolean {
    this.heard();
    return this.#questions.answered(payload);
  }

  end(reason: keyof typeof endings): void {
    if (this.#state === 'ended') return;
    // A machine that goes gets its last document first: what it is to remove.
    if (reason !== 'certificate' && reason !== 'duplicate') this.deliver();
    const [code, text] = endings[reason];
    this.#close(code, text);
  }

  /** The machine is over its budget. */
  limited(measure: Measure, pauseMs: number): void {
    if (this.#state !== 'ended') this.#close(closeCodes.limited, limitedText(measure, pauseMs));
  }

  /** From here on it is not its node's stream, and nothing that comes is read. */
  closed(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#questions.clear();
    const { node, subscriber } = this.#parts;
    if (node.stream === this) {
      node.stream = null;
      node.drainPending();
    }
    subscriber.left(node, this);
    for (const run of this.#endings) run();
  }

  terminate(): void {
    this.closed();
    this.#parts.channel.terminate();
  }

  /** Asks a silent node, and gives up on a dead one. Called every `streamPingMs`. */
  tick(): void {
    if (this.#state === 'open') this.#slowDown();
    const nowMs = this.#parts.clock.steady();
    const silentMs = nowMs - this.#heardMs;
    // Pings are no hello: what comes before it does not prolong it.
    const isLate = this.#state === 'new' && nowMs - this.#openedMs >= nodeStreamLimits.helloMs;
    if (isLate || silentMs >= nodeStreamLimits.streamDeadMs) {
      this.#parts.counters.streamsLost++;
      this.terminate();
    } else if (silentMs >= nodeStreamLimits.streamPingMs / 2) {
      this.#parts.channel.ping();
    }
  }

  /** There are more nodes than before. Never faster again on one stream: what is slow enough stays. */
  #slowDown(): void {
    const { node } = this;
    const everyMs = this.#parts.beatMs?.() ?? nodeStreamLimits.streamBeatMs;
    if (!this.current || everyMs < node.beatMs * nodeStreamLimits.streamBeatStep) return;
    node.beatMs = everyMs;
    this.#send(beatFrame(everyMs));
  }

  async #greet(hello: Hello): Promise<void> {
    this.#run = hello.run;
    const claimed = this.#parts.claim?.(this) ?? 'granted';
    if (claimed === 'granted') return this.#welcome(hello);
    this.#state = 'claiming';
    const verdict = await claimed;
    if (this.hasEnded) return;
    if (verdict === 'duplicate') return this.#close(...endings.duplicate);
    if (verdict === 'later') return this.#close(tryAgainLater, laterText);
    const welcomed = this.#welcome(hello);
    for (const text of this.#early.drain()) this.received(text);
    return welcomed;
  }

  async #welcome(hello: Hello): Promise<void> {
    const { node, dispatcher, reports, remoteAddress } = this.#parts;
    if (this.hasEnded) return;
    this.#state = 'greeting';
    this.#helloMs = this.#parts.clock.now();
    node.beatMs = nodeStreamLimits.streamBeatMs;
    node.speaks(this.#capability, dispatcher);
    this.#send(
      welcomeFrame({
        capability: this.#capability,
        platform_version: this.#parts.platformVersion,
        instance_id: node.instanceId,
        unused_keys_target: trustLimits.unusedKeysTarget,
      }),
    );
    this.#slowDown();
    reports.arrived(node, hello, remoteAddress);
    this.#parts.subscriber.arrived(node, this, hello);
    if (hello.applied !== null) this.#applied(hello.applied);
    const isAbreast = await this.#isAbreast(hello);
    // The stream may have ended meanwhile; `closed` and `end` say so by the state.
    if (this.#state !== 'greeting') return;
    if (!isAbreast) return this.#close(tryAgainLater, 'the database does not answer');
    this.#answer(hello, dispatcher.sequenceOf(node.accountId));
  }

  /**
   * A node that is ahead of this process was served by another one, and the change is in the database. Until that
   * was read, all that could be sent to it is older than what it has.
   */
  async #isAbreast({ held }: Hello): Promise<boolean> {
    const { node, dispatcher, log } = this.#parts;
    if (held === null || held.revision <= dispatcher.sequenceOf(node.accountId)) return true;
    try {
      await dispatcher.refresh(node.accountId);
      return true;
    } catch (error) {
      log.warn({ err: error, instanceId: node.instanceId }, 'changes ahead could not be read');
      return false;
    }
  }

  #answer({ held }: Hello, sequence: number): void {
    const { node, counters } = this.#parts;
    if (held === null || held.revision > sequence) return this.#wholeDocument();
    const digest = BigInt(`0x${held.hash}`);
    if (digest === node.digest) {
      this.#state = 'open';
      node.desiredRevision = held.revision;
      this.#sentRevision = held.revision;
      this.#send(currentFrame(this.#newest()));
      counters.currentsSent++;
      return;
    }
    // At a start the revision is that of the last document of this hash that the database knows the node to have
    // applied. The node has had a newer one since then: its revisions never go back.
    if (held.revision >= node.desiredRevision) node.desiredRevision = sequence;
    const patch = node.history.since({ held: digest, present: node.digest });
    if (patch === null || held.revision >= node.desiredRevision) return this.#wholeDocument();
    this.#state = 'open';
    this.#send(deltaFrame({ base: held.revision, to: this.#newest(), patch }));
    this.#sentRevision = node.desiredRevision;
    counters.deltasSent++;
  }

  /** Until it is sent nothing else is: what changes meanwhile will be in it. */
  #wholeDocument(): void {
    this.#state = 'greeting';
    this.node.drainPending();
    this.#parts.sendLimiter.request({
      send: () => (this.#state === 'greeting' ? this.#sendDocument() : 0),
      whenSent: (run) => this.#parts.channel.whenDrained(run),
    });
  }

  #sendDocument(): number {
    const { node, dispatcher, channel, counters } = this.#parts;
    const entries = node.given(dispatcher.fleet.compile(node.instanceId));
    this.#state = 'open';
    this.#sentRevision = node.desiredRevision;
    counters.documentsSent++;
    counters.framesSent++;
    channel.sendLong(this.#counted(documentPieces(this.#newest(), entries)));
    this.#waitForLine();
    return entries.length;
  }

  *#counted(pieces: Iterable<string>): Generator<string, undefined> {
    for (const piece of pieces) {
      this.#parts.counters.bytesSent += piece.length;
      yield piece;
    }
    return undefined;
  }

  /** Until the send buffer is empty, changes gather and merge. */
  #waitForLine(): void {
    this.#waitsForLine = true;
    this.#parts.channel.whenDrained(() => {
      this.#waitsForLine = false;
      this.deliver();
    });
  }

  #newest(): Version {
    return { revision: this.node.desiredRevision, digest: this.node.digest };
  }

  #handle(message: Exclude<NodeMessage, Hello>): void {
    const { node, reports, subscriber } = this.#parts;
    switch (message.kind) {
      case 'lease_renew':
        return subscriber.renewLeases(node, this, message);
      case 'paths':
        return subscriber.paths(node, this, message);
      case 'probed':
        return subscriber.probed(node, this, message);
      case 'keys':
        return reports.keys(node, message.unused_keys);
      case 'applied':
        return this.#applied(message);
      case 'failed':
        return reports.failed(node, message);
      case 'problems':
        return reports.problems(node, message.problems);
      case 'resync':
        return this.#resync();
      case 'observed': {
        const first = !this.#observedBefore;
        this.#observedBefore = true;
        if (message.virtual_ip_health !== undefined)
          subscriber.checked(node, this, message.virtual_ip_health);
        return reports.observed(node, message, { helloMs: this.#helloMs, first });
      }
    }
  }

  #applied({ revision, hash }: { readonly revision: number; readonly hash: string }): void {
    const { node, reports } = this.#parts;
    if (node.applied?.revision !== revision || node.applied.hash !== hash) {
      node.applied = { revision, hash };
      reports.applied(node);
    }
    // What is known of the node may be of an earlier stream.
    this.#parts.subscriber.applied(node, this);
  }

  /** The two sides count differently; if that goes on, the whole document each time would cost too much. */
  #resync(): void {
    const { counters, clock, log, node } = this.#parts;
    counters.resyncs++;
    const now = clock.steady();
    this.#resyncs = [...this.#resyncs.filter((at) => now - at < 60_000), now];
    log.warn(
      { instanceId: node.instanceId, hash: formatDigest(node.digest) },
      'a node asks for its document',
    );
    if (this.#resyncs.length > nodeStreamLimits.resyncsPerMinuteMax) {
      return this.#malformed('too many requests for the whole document');
    }
    if (this.ready) this.#wholeDocument();
  }

  #ignored(kind: string): void {
    const { log, node } = this.#parts;
    this.#parts.counters.framesUnknown++;
    log.debug({ instanceId: node.instanceId, kind }, 'a node said something that is not known here');
  }

  #malformed(what: string, why = ''): void {
    const { counters, log, node } = this.#parts;
    counters.framesMalformed++;
    log.warn({ instanceId: node.instanceId, what, why }, 'a node said something that cannot be read');
    this.#close(closeCodes.malformed, what);
  }

  /** Whoever does not read, or does not answer, is cut off. */
  #close(code: number, reason: string): void {
    const { channel, clock } = this.#parts;
    this.closed();
    channel.close(code, reason);
    clock.after(nodeStreamLimits.streamCloseMs, () => channel.terminate());
  }

  #send(text: string): void {
    this.#parts.counters.framesSent++;
    // Documents and deltas are ASCII but for names, so this is the number of bytes for all that counts.
    this.#parts.counters.bytesSent += text.length;
    this.#parts.channel.send(text);
  }
}
