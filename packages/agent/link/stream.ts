// The one stream to the platform: a WebSocket under mutual TLS that is opened again whenever it is lost. It carries
// messages; what they mean is decided by whoever holds it.
import type { IncomingMessage } from 'node:http';
import type { ConnectionOptions } from 'node:tls';
import {
  agentRequestMs,
  agentResponseBytesMax,
  nodeFrameBytesMax,
  reconnectMaxMs,
  streamDeadMs,
  streamPingMs,
} from '@powernode/core/limits';
import {
  closeCodes,
  type NodeMessage,
  nodeStreamPath,
  type PlatformMessage,
  platformMessage,
} from '@powernode/core/wire/node-stream';
import WebSocket from 'ws';
import { z } from 'zod';
import type { Clock } from '../ports/clock.ts';
import { Backoff, type Random } from './backoff.ts';

export interface StreamEvents {
  opened(): void;
  message(message: PlatformMessage): void;
  /** Lost, or could not be opened; it is tried again after `againMs`. */
  lost(why: string, againMs: number): void;
  /** The platform said that this machine may not come back: no further try is made. */
  revoked(): void;
}

export interface StreamParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Asked at each try, because certificates are renewed. */
  readonly target: () => { readonly url: URL; readonly tls: ConnectionOptions };
  readonly events: StreamEvents;
}

export class NodeStream {
  readonly #parts: StreamParts;
  readonly #backoff: Backoff;
  #socket: WebSocket | null = null;
  #cancelRetry: () => void = () => undefined;
  #cancelBeat: () => void = () => undefined;
  #heardAtMs = 0;
  #closed = false;
  /** Who waits for the pong of which number. */
  readonly #unread = new Map<number, () => void>();
  #lastPing = 0;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random);
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  open(): void {
    const { url, tls } = this.#parts.target();
    const address = new URL(nodeStreamPath, url);
    address.protocol = 'wss:';
    const socket = new WebSocket(address, {
      ...tls,
      maxPayload: nodeFrameBytesMax,
      // Documents are sent over links that are faster than compressing them, by a sender that has many to send.
      perMessageDeflate: false,
      handshakeTimeout: agentRequestMs,
      followRedirects: false,
    });
    this.#socket = socket;
    let complaint = '';
    socket.on('open', () => {
      this.#heard();
      this.#beat(socket);
      this.#parts.events.opened();
    });
    // Frames of the kind `nodebuffer` are one Buffer each, which is the library's default.
    socket.on('message', (data: Buffer, isBinary) =>
      this.#take(socket, isBinary ? null : data.toString('utf8')),
    );
    socket.on('unexpected-response', (_request, response) => {
      void refusalIn(response).then((refusal) => {
        complaint = refusal;
        socket.terminate();
      });
    });
    socket.on('ping', () => this.#heard());
    socket.on('pong', (data) => {
      this.#heard();
      this.#ponged(data.toString());
    });
    socket.on('error', (error) => {
      complaint ||= error.message;
    });
    socket.on('close', (code, reason) =>
      this.#ended(code, complaint || reason.toString() || `close code ${code}`),
    );
  }

  /** Sends if the stream is open; what is not sent is told after the next hello anyway. */
  send(message: NodeMessage): void {
    if (this.isOpen) this.#socket?.send(JSON.stringify(message));
  }

  /**
   * The same, and calls back when the other side has read it; never when the stream is lost before. Frames are read in
   * order, so a ping behind it is answered after it.
   */
  sendConfirmed(message: NodeMessage, read: () => void): void {
    if (!this.isOpen) return;
    this.send(message);
    const number = ++this.#lastPing;
    this.#unread.set(number, read);
    this.#socket?.ping(String(number));
  }

  /** The platform takes part: the next loss starts with short pauses again. */
  settled(): void {
    this.#backoff.reset();
  }

  /** Ends the stream and opens another one, for whatever is told only at the beginning. */
  reopen(): void {
    if (this.isOpen) this.#socket?.close(1000, 'opened again');
  }

  /** Ends the stream and opens no other. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry();
    this.#cancelBeat();
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.removeAllListeners();
    socket.on('error', () => undefined);
    if (socket.readyState === WebSocket.OPEN) socket.close(1000);
    else socket.terminate();
  }

  #heard(): void {
    this.#heardAtMs = this.#parts.clock.monotonicMs();
  }

  #ponged(text: string): void {
    const upTo = /^\d{1,15}$/.test(text) ? Number(text) : 0;
    for (const [number, read] of this.#unread) {
      if (number > upTo) break;
      this.#unread.delete(number);
      read();
    }
  }

  #take(socket: WebSocket, text: string | null): void {
    this.#heard();
    const parsed = platformMessage.safeParse(text === null ? undefined : parseJson(text));
    if (parsed.success) return this.#parts.events.message(parsed.data);
    const where = parsed.error.issues[0];
    const detail = where === undefined ? '' : `${where.path.join('.')}: ${where.message}`;
    // Reasons of close frames hold 123 bytes (RFC 6455 §5.5).
    socket.close(closeCodes.malformed, `unreadable frame: ${detail}`.slice(0, 120));
  }

  /** Asks after each pause whether the other side is there, and gives it up when nothing at all has come. */
  #beat(socket: WebSocket): void {
    this.#cancelBeat();
    this.#cancelBeat = this.#parts.clock.after(streamPingMs, () => {
      if (this.#parts.clock.monotonicMs() - this.#heardAtMs > streamDeadMs) return socket.terminate();
      if (socket.readyState === WebSocket.OPEN) socket.ping();
      this.#beat(socket);
    });
  }

  #ended(code: number, why: string): void {
    this.#cancelBeat();
    this.#unread.clear();
    this.#socket = null;
    if (this.#closed) return;
    if (code === closeCodes.revoked) return this.#parts.events.revoked();
    // Two agents with one identity, or two versions that share no protocol: trying often would not help.
    const hopeless = code === closeCodes.replaced || code === closeCodes.protocol;
    const againMs = hopeless ? reconnectMaxMs : this.#backoff.nextMs();
    this.#parts.events.lost(why, againMs);
    this.#cancelRetry = this.#parts.clock.after(againMs, () => this.open());
  }
}

const problem = z.object({ detail: z.string().max(1000) });

/** What the platform said instead of opening a stream. */
async function refusalIn(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > agentResponseBytesMax) break;
    }
  } catch {
    // Cut off in the middle: the status will have to do.
  }
  const parsed = problem.safeParse(parseJson(text));
  return parsed.success ? parsed.data.detail : `HTTP status ${response.statusCode}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
