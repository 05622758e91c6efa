// All open streams of this process: joins sockets with sessions, and looks after them in turns.
import * as limits from '@powernode/core/limits';
import type { Clock } from '../../trust/clock.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { WebSocketChannel } from './channel.ts';
import { DocumentGate } from './document-gate.ts';
import type { OpenedStream } from './node-listener.ts';
import { Session, type SessionParts } from './session.ts';

export type StreamParts = Omit<
  SessionParts,
  'node' | 'channel' | 'remoteAddress' | 'clock' | 'reports' | 'gate'
> & {
  readonly reports: SessionParts['reports'] & { left(node: NodeState): void };
  readonly clock: Clock;
};

export class Streams {
  readonly #parts: StreamParts & Pick<SessionParts, 'gate'>;
  readonly #groups = Array.from({ length: limits.streamGroups }, () => new Set<Session>());
  #turn = 0;
  #opened = 0;
  #count = 0;
  #lastLeft: () => void = () => undefined;

  constructor(parts: StreamParts) {
    this.#parts = { ...parts, gate: new DocumentGate(parts.clock) };
  }

  get count(): number {
    return this.#count;
  }

  *nodes(): IterableIterator<NodeState> {
    for (const group of this.#groups) {
      for (const { node, current } of group) if (current) yield node;
    }
  }

  open({ node, socket, address }: OpenedStream): void {
    const channel = new WebSocketChannel(socket);
    const session = new Session({ ...this.#parts, node, channel, remoteAddress: address });
    const group = this.#groups[this.#opened % limits.streamGroups];
    this.#opened++;
    this.#count++;
    group?.add(session);
    socket.on('message', (data, isBinary) => {
      // A whole message in one Buffer is what ws gives unless told otherwise.
      session.received(isBinary ? '' : (data as Buffer).toString('utf8'));
    });
    socket.on('ping', () => session.heard());
    socket.on('pong', (data) => session.answered(data.toString('utf8')));
    // A broken frame or a broken line; ws closes the socket after it.
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      this.#parts.log.debug({ instanceId: node.instanceId, code }, 'a stream was closed');
      group?.delete(session);
      this.#count--;
      session.closed();
      this.#parts.reports.left(node);
      if (this.#count === 0) this.#lastLeft();
    });
    this.#take(node, session);
  }

  /** One group in each turn. */
  tick(): void {
    this.#turn = (this.#turn + 1) % limits.streamGroups;
    for (const session of this.#groups[this.#turn] ?? []) session.tick();
  }

  /** Says that the platform goes; whoever does not answer soon is cut off. */
  async close(): Promise<void> {
    for (const session of this.#sessions()) session.end('closing');
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      this.#lastLeft = resolve;
      this.#parts.clock.after(limits.lastWordsMs, resolve);
    });
    for (const session of this.#sessions()) session.terminate();
  }

  #sessions(): Session[] {
    return this.#groups.flatMap((group) => [...group]);
  }

  #take(node: NodeState, session: Session): void {
    const { counters, log } = this.#parts;
    counters.streamsOpened++;
    log.debug({ instanceId: node.instanceId }, 'a stream was opened');
    const before = node.stream;
    node.stream = session;
    node.takePending();
    if (before !== null) {
      counters.streamsReplaced++;
      before.end('replaced');
    }
    if (node.ended) session.end('revoked');
  }
}
