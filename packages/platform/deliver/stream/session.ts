// One stream of one node: hello, what the node is to have, what it reports. Speaks through a channel and keeps no
// timers; whoever holds sessions calls `tick`.
import { formatDigest } from '@powernode/core/compile/digest';
import * as limits from '@powernode/core/limits';
import {
  closeCodes,
  type Hello,
  type HoldMessage,
  type NodeMessage,
  nodeMessage,
  nodeProtocol,
} from '@powernode/core/wire/node-stream';
import type { Logger } from 'pino';
import type { Clock } from '../../trust/clock.ts';
import type { DeliveryCounters } from '../counters.ts';
import type { Dispatcher } from '../nodes/dispatcher.ts';
import {
  currentFrame,
  deltaFrame,
  documentPieces,
  heldFrame,
  spentFrame,
  type Version,
  welcomeFrame,
} from '../nodes/frames.ts';
import type { NodeState, NodeStream } from '../nodes/node-state.ts';
import type { Attendant } from './attendant.ts';
import type { Channel } from './channel.ts';
import type { DocumentGate } from './document-gate.ts';

/** Where reports of nodes go. None of these waits. */
export interface ReportSink {
  arrived(node: NodeState, hello: Hello, remoteAddress: string): void;
  keys(node: NodeState, publicKeys: readonly string[]): void;
  applied(node: NodeState): void;
  failed(node: NodeState, failure: { readonly revision: number; readonly message: string }): void;
  observed(
    node: NodeState,
    observed: Extract<NodeMessage, { kind: 'observed' }>,
    since: { readonly helloMs: number; readonly first: boolean },
  ): void;
}

export interface SessionParts {
  readonly node: NodeState;
  readonly channel: Channel;
  readonly remoteAddress: string;
  readonly dispatcher: Dispatcher;
  readonly reports: ReportSink;
  readonly attendant: Attendant;
  readonly counters: DeliveryCounters;
  readonly gate: DocumentGate;
  readonly clock: Clock;
  readonly log: Logger;
  readonly platformVersion: string;
}

/** NUL and lone surrogates are no text to PostgreSQL, and one of them would spoil the batch it is written in. */
const unstorable = /\\u(?:0000|[dD][89a-fA-F])/;

/** 1013 of the registry of close codes (RFC 6455 §11.7). */
const tryAgainLater = 1013;

const endings = {
  revoked: [closeCodes.revoked, 'this machine does not belong to the fleet any more'],
  replaced: [closeCodes.replaced, 'another stream of this machine took over'],
  closing: [1001, 'the platform is closing'],
} as const;

export class Session implements NodeStream {
  readonly #parts: SessionParts;
  #state: 'new' | 'greeting' | 'open' | 'ended' = 'new';
  /** The document that the node holds once it has read all that was sent. */
  #sentRevision = 0;
  #heardMs: number;
  #helloMs = 0;
  #observedBefore = false;
  #waitsForLine = false;
  #resyncs: number[] = [];
  #questions = 0;
  readonly #asked = new Map<string, () => void>();

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#heardMs = parts.clock.now();
  }

  get node(): NodeState {
    return this.#parts.node;
  }
  get ready(): boolean {
    return this.#state === 'open';
  }
  /** Whether it is the stream that its node has now. */
  get current(): boolean {
    return this.node.stream === this;
  }

  /** Anything came from the node, a pong too. */
  heard(): void {
    this.#heardMs = this.#parts.clock.now();
    this.node.lastHeartbeatMs = this.#heardMs;
  }

  received(text: string): void {
    if (this.#state === 'ended') return;
    this.heard();
    this.#parts.counters.framesReceived++;
    const message = readFrame(text);
    if (message === null) return this.#malformed('a frame that is none of the protocol');
    if (message.kind === 'hello') {
      if (this.#state !== 'new') return this.#malformed('a second hello');
      void this.#greet(message);
    } else if (this.#state === 'new') {
      this.#malformed('a first frame that is no hello');
    } else {
      this.#handle(message);
    }
  }

  deliver(): void {
    const { node, channel, counters } = this.#parts;
    if (!this.ready || !node.hasPending || this.#waitsForLine) return;
    if (channel.backlogBytes > limits.nodeBacklogBytesMax) return this.#waitForLine();
    const patch = node.takePending();
    if (patch === null) return;
    this.#send(deltaFrame({ base: this.#sentRevision, to: this.#newest(), patch }));
    this.#sentRevision = node.desiredRevision;
    counters.deltasSent++;
  }

  /** A node that has not said hello yet is told of them when it has. */
  spent(publicKeys: readonly string[]): void {
    if (this.#state === 'greeting' || this.#state === 'open') this.#send(spentFrame(publicKeys));
  }

  held(answer: Pick<HoldMessage, 'sequence' | 'leases'>): void {
    if (this.#state !== 'ended') this.#send(heldFrame(answer));
  }

  whenAnswered(run: () => void): void {
    if (this.#state === 'ended' || this.#asked.size >= limits.streamQuestionsMax) return;
    const word = `${++this.#questions}`;
    this.#asked.set(word, run);
    this.#parts.channel.ping(word);
  }

  /** The node answered a ping, with its word. */
  answered(word: string): void {
    this.heard();
    if (!this.#asked.has(word)) return;
    // The line keeps its order, so whatever was asked before has been read as well. A node may leave out the answers to
    // all pings but the newest (RFC 6455 §5.5.3).
    for (const [earlier, run] of this.#asked) {
      this.#asked.delete(earlier);
      run();
      if (earlier === word) return;
    }
  }

  end(reason: keyof typeof endings): void {
    if (this.#state === 'ended') return;
    // A machine that goes gets its last document first: what it is to remove.
    this.deliver();
    const [code, text] = endings[reason];
    this.#close(code, text);
  }

  /** From here on it is not its node's stream, and nothing that comes is read. */
  closed(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#asked.clear();
    const { node, attendant } = this.#parts;
    if (node.stream === this) {
      node.stream = null;
      node.takePending();
    }
    attendant.left(node, this);
  }

  terminate(): void {
    this.closed();
    this.#parts.channel.terminate();
  }

  /** Asks a silent node, and gives up on a dead one. Called every `streamPingMs`. */
  tick(): void {
    const silentMs = this.#parts.clock.now() - this.#heardMs;
    const waitMs = this.#state === 'new' ? limits.helloMs : limits.streamDeadMs;
    if (silentMs >= waitMs) {
      this.#parts.counters.streamsLost++;
      this.terminate();
    } else if (silentMs >= limits.streamPingMs / 2) {
      this.#parts.channel.ping();
    }
  }

  async #greet(hello: Hello): Promise<void> {
    const { node, dispatcher, reports, remoteAddress } = this.#parts;
    if (hello.protocol !== nodeProtocol) {
      return this.#close(closeCodes.protocol, `this platform speaks version ${nodeProtocol}`);
    }
    this.#state = 'greeting';
    this.#helloMs = this.#parts.clock.now();
    this.#send(
      welcomeFrame({
        platformVersion: this.#parts.platformVersion,
        instanceId: node.instanceId,
        unusedKeysTarget: limits.unusedKeysTarget,
      }),
    );
    reports.arrived(node, hello, remoteAddress);
    this.#parts.attendant.arrived(node, this, hello);
    if (hello.applied !== null) this.#applied(hello.applied);
    if (!(await this.#isAbreast(hello))) return this.#comeBackLater();
    // The stream may have ended meanwhile; `closed` and `end` say so by the state.
    if (this.#state !== 'greeting') return;
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

  #comeBackLater(): void {
    if (this.#state !== 'ended') this.#close(tryAgainLater, 'the database does not answer');
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
    this.node.takePending();
    this.#parts.gate.enter({
      send: () => (this.#state === 'greeting' ? this.#sendDocument() : 0),
      whenTaken: (run) => this.#parts.channel.whenDrained(run),
    });
  }

  #sendDocument(): number {
    const { node, dispatcher, channel, counters } = this.#parts;
    const entries = dispatcher.fleet.compile(node.instanceId);
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

  /** Until the line has taken what is on it, changes gather and merge. */
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
    const { node, reports, attendant } = this.#parts;
    switch (message.kind) {
      case 'hold':
        return attendant.hold(node, this, message);
      case 'paths':
        return attendant.paths(node, this, message);
      case 'keys':
        return reports.keys(node, message.unused_keys);
      case 'applied':
        return this.#applied(message);
      case 'failed':
        return reports.failed(node, message);
      case 'resync':
        return this.#resync();
      case 'observed': {
        const first = !this.#observedBefore;
        this.#observedBefore = true;
        return reports.observed(node, message, { helloMs: this.#helloMs, first });
      }
    }
  }

  #applied({ revision, hash }: { readonly revision: number; readonly hash: string }): void {
    const { node, reports } = this.#parts;
    const before = node.applied;
    if (before?.revision === revision && before.hash === hash) return;
    node.applied = { revision, hash };
    reports.applied(node);
    this.#parts.attendant.applied(node, this);
  }

  /** The two sides count differently; if that goes on, the whole document each time would cost too much. */
  #resync(): void {
    const { counters, clock, log, node } = this.#parts;
    counters.resyncs++;
    const now = clock.now();
    this.#resyncs = [...this.#resyncs.filter((at) => now - at < 60_000), now];
    log.warn(
      { instanceId: node.instanceId, hash: formatDigest(node.digest) },
      'a node asks for its document',
    );
    if (this.#resyncs.length > limits.resyncsPerMinuteMax) {
      return this.#malformed('too many requests for the whole document');
    }
    if (this.ready) this.#wholeDocument();
  }

  #malformed(what: string): void {
    const { counters, log, node } = this.#parts;
    counters.framesMalformed++;
    log.warn({ instanceId: node.instanceId, what }, 'a node said something that cannot be read');
    this.#close(closeCodes.malformed, what);
  }

  /** Whoever does not read, or does not answer, is cut off. */
  #close(code: number, reason: string): void {
    const { channel, clock } = this.#parts;
    this.closed();
    channel.close(code, reason);
    clock.after(limits.streamCloseMs, () => channel.terminate());
  }

  #send(text: string): void {
    this.#parts.counters.framesSent++;
    // Documents and deltas are ASCII but for names, so this is the number of bytes for all that counts.
    this.#parts.counters.bytesSent += text.length;
    this.#parts.channel.send(text);
  }
}

function readFrame(text: string): NodeMessage | null {
  if (unstorable.test(text)) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = nodeMessage.safeParse(value);
  return parsed.success ? parsed.data : null;
}
