// The line under a node's stream: what a session needs of a WebSocket and no more. Simulations bring their own.
import { nodeFragmentBytes, spareBuffersMax } from '@powernode/core/limits/node-stream';
import type { WebSocket } from 'ws';

export interface Channel {
  send(frame: string): void;
  /** One frame in pieces, each made when the one before was sent. */
  sendLong(pieces: Iterator<string, undefined>): void;
  /** With a payload that the pong repeats (RFC 6455 §5.5.3). */
  ping(payload?: string): void;
  /** Says why and ends; what was sent before still arrives. */
  close(code: number, reason: string): void;
  /** Ends without a close frame. */
  terminate(): void;
  /** Bytes that were not sent yet, but for long frames whose turn has not come. */
  readonly backlogBytes: number;
  /** Calls once, when the send buffer is empty or the connection is closed. */
  whenDrained(run: () => void): void;
}

const text = { binary: false, compress: false } as const;

/**
 * Long frames go out in fragments, each when the one before was sent: a TLS connection of Node keeps a
 * buffer of the size of the largest write that it ever saw, and most nodes get one long frame in their life.
 */
export class WebSocketChannel implements Channel {
  readonly #socket: WebSocket;
  /** Frames whose turn has not come. */
  readonly #queue: Iterator<string, undefined>[] = [];
  #busy = false;
  #goodbye: (() => void) | null = null;
  #drained: (() => void)[] = [];

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('close', () => {
      this.#queue.length = 0;
      this.#notifyDrained();
    });
  }

  get backlogBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: string): void {
    if (this.#goodbye !== null) return;
    if (this.#busy || frame.length > nodeFragmentBytes) this.sendLong(piecesOf(frame));
    else this.#socket.send(frame, text);
  }

  sendLong(pieces: Iterator<string, undefined>): void {
    if (this.#goodbye !== null) return;
    this.#queue.push(pieces);
    if (!this.#busy) this.#nextFrame();
  }

  ping(payload = ''): void {
    this.#socket.ping(payload);
  }

  close(code: number, reason: string): void {
    this.#goodbye ??= () => this.#socket.close(code, reason);
    if (!this.#busy) this.#goodbye();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  whenDrained(run: () => void): void {
    this.#drained.push(run);
    // A pong that nobody asked for is ignored (RFC 6455 §5.5.3); its callback runs when all before it was sent.
    if (!this.#busy) this.#socket.pong('', false, () => this.#notifyDrained());
  }

  #nextFrame(): void {
    const pieces = this.#queue.shift();
    const first = pieces?.next();
    if (pieces === undefined || first === undefined) {
      this.#busy = false;
      this.#goodbye?.();
      this.#notifyDrained();
      return;
    }
    this.#busy = true;
    this.#piece(pieces, first);
  }

  #piece(pieces: Iterator<string, undefined>, piece: IteratorResult<string, undefined>): void {
    const next = pieces.next();
    const fin = next.done === true;
    const bytes = takeBytes(piece.value ?? '');
    this.#socket.send(bytes.filled, { ...text, fin }, (error) => {
      giveBack(bytes);
      // A closed connection causes `close` as well.
      if (error != null) return;
      if (fin) this.#nextFrame();
      else this.#piece(pieces, next);
    });
  }

  #notifyDrained(): void {
    for (const run of this.#drained.splice(0)) run();
  }
}

interface PieceBytes {
  readonly whole: Buffer;
  readonly filled: Buffer;
}

/**
 * Buffers for pieces on their way, used again and again: as many as there are long frames under way. Made anew for
 * each piece they would be garbage between the small things that connections keep, and that memory is never given
 * back (measured: twice the memory for each node).
 */
const spare: Buffer[] = [];
const pieceBytes = 2 * nodeFragmentBytes;

function takeBytes(piece: string): PieceBytes {
  const length = Buffer.byteLength(piece);
  const whole = length > pieceBytes ? Buffer.allocUnsafeSlow(length) : (spare.pop() ?? newBuffer());
  whole.write(piece);
  return { whole, filled: whole.subarray(0, length) };
}

function newBuffer(): Buffer {
  return Buffer.allocUnsafeSlow(pieceBytes);
}

function giveBack({ whole }: PieceBytes): void {
  if (whole.length === pieceBytes && spare.length < spareBuffersMax) spare.push(whole);
}

/** In pieces that are not cut between the two halves of a character (UTF-16 surrogates). */
function* piecesOf(frame: string): Generator<string, undefined> {
  for (let from = 0; from < frame.length; ) {
    let to = Math.min(from + nodeFragmentBytes, frame.length);
    if ((frame.charCodeAt(to - 1) & 0xfc00) === 0xd800 && to < frame.length) to--;
    yield frame.slice(from, to);
    from = to;
  }
  return undefined;
}
