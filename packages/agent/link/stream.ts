// The one stream to the platform: a WebSocket under mutual TLS that is opened again whenever it is lost. It carries
// messages; what they mean is decided by whoever holds it.
import type { IncomingMessage } from 'node:http';
import type { ConnectionOptions } from 'node:tls';
import { parseJson } from '@powernode/core/json';
import { agentRequestMs, agentResponseBytesMax } from '@powernode/core/limits/agent';
import {
  duplicateRetryMs,
  nodeFrameBytesMax,
  nodeFrameDepthMax,
  reconnectMaxMs,
  streamBeatMs,
  streamDeadMs,
  streamPauseMaxMs,
  streamPingMs,
} from '@powernode/core/limits/node-stream';
import { problemDetailMax } from '@powernode/core/limits/texts';
import {
  type CapabilityRange,
  capabilityHeader,
  earliestCapability,
  parseCapabilityHeader,
  servedCapabilities,
  sharedCapability,
  windowSentence,
} from '@powernode/core/wire/capability';
import { fromEarlier, toPlatform } from '@powernode/core/wire/earlier';
import { isNestedDeeper } from '@powernode/core/wire/json-depth';
import {
  closeCodes,
  type NodeMessage,
  nodeStreamPath,
  type PlatformMessage,
  platformMessages,
} from '@powernode/core/wire/node-stream';
import { readMessage } from '@powernode/core/wire/read-message';
import WebSocket from 'ws';
import { z } from 'zod';
import type { Clock } from '../ports/clock.ts';
import { Backoff, type Random } from './backoff.ts';

export type StreamMessage = Exclude<PlatformMessage, { kind: 'beat' }>;

export interface StreamEvents {
  opened(): void;
  /** Whatever is not about the stream itself. */
  message(message: StreamMessage): void;
  /** A message of a later platform, which does without an answer. */
  passedOver(kind: string): void;
  /** Lost, or could not be opened; it is tried again after `againMs`. */
  lost(why: string, againMs: number): void;
  /** The platform said that another machine has this identity; it is asked again later all the same. */
  duplicate(): void;
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

/** Where a stream goes to, as the kernel has it. */
export interface RemoteEndpoint {
  readonly address: string;
  readonly port: number;
}

export class NodeStream {
  readonly #parts: StreamParts;
  readonly #backoff: Backoff;
  #socket: WebSocket | null = null;
  #cancelRetry: () => void = () => undefined;
  #cancelWatch: () => void = () => undefined;
  #cancelBeat: () => void = () => undefined;
  #beatMs = streamBeatMs;
  #heardAtMs = 0;
  #closed = false;
  /** The platform asked to be left alone so long. */
  #awayMs = 0;
  /** Who waits for the pong of which number. */
  readonly #unread = new Map<number, () => void>();
  #lastPing = 0;
  #remote: RemoteEndpoint | null = null;
  /** What both sides of the present stream, or the last one, speak. */
  #capability = earliestCapability;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random);
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Where the stream goes to, or the last one went; null: there was none. */
  get remote(): RemoteEndpoint | null {
    return this.#remote;
  }

  /** When anything of the platform was last heard, on any stream (monotonic); 0: never. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** Asks whether the other side is there; whoever wants to know looks at `heardAtMs`. */
  ping(): void {
    if (this.isOpen) this.#socket?.ping();
  }

  /** Gives up the stream as it is, which leads nowhere, and tries again at once. */
  restart(): void {
    if (this.#closed) return;
    this.#backoff.reset();
    if (this.#socket !== null) return this.#socket.terminate();
    this.#cancelRetry();
    this.open();
  }

  open(): void {
    if (this.#closed) return;
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
    let platform: CapabilityRange | null = null;
    socket.on('upgrade', ({ headers, socket: { remoteAddress: address, remotePort: port } }) => {
      if (address !== undefined && port !== undefined)
        this.#remote = { address: withoutMapping(address), port };
      platform = parseCapabilityHeader(headers[capabilityHeader]?.toString());
    });
    socket.on('open', () => {
      this.#heard();
      if (!this.#agree(socket, platform)) return;
      this.#beatMs = streamBeatMs;
      this.#watch(socket);
      this.#beat(socket);
      this.#parts.events.opened();
    });
    // Frames of the kind `nodebuffer` are one Buffer each, which is the library's default.
    socket.on('message', (data: Buffer, isBinary) =>
      this.#take(socket, isBinary ? null : data.toString('utf8')),
    );
    socket.on('unexpected-response', (_request, response) => {
      this.#awayMs = awayMsIn(response);
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
    if (this.isOpen) this.#socket?.send(JSON.stringify(toPlatform(message, this.#capability)));
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
    this.#cancelWatch();
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
    const readable = text !== null && !isNestedDeeper(text, nodeFrameDepthMax);
    const value = readable ? fromEarlier(parseJson(text), this.#capability) : undefined;
    const read = readMessage(platformMessages, value);
    if (read.kind === 'unknown') return this.#parts.events.passedOver(read.name);
    if (read.kind === 'unreadable') {
      // Reasons of close frames hold 123 bytes (RFC 6455 §5.5).
      return socket.close(closeCodes.malformed, `unreadable frame: ${read.why}`.slice(0, 120));
    }
    if (read.message.kind !== 'beat') return this.#parts.events.message(read.message);
    this.#beatMs = read.message.every_ms;
  }

  /** Before the first frame: whether there is a capability that both serve. */
  #agree(socket: WebSocket, platform: CapabilityRange | null): boolean {
    const shared = platform === null ? null : sharedCapability(servedCapabilities, platform);
    if (shared !== null) {
      this.#capability = shared;
      return true;
    }
    const why =
      platform === null
        ? 'the platform does not say which capabilities it serves'
        : windowSentence({ platform, node: servedCapabilities });
    socket.close(closeCodes.protocol, why);
    return false;
  }

  /** Asks after each pause whether the other side is there, and gives it up when nothing at all has come. */
  #watch(socket: WebSocket): void {
    this.#cancelWatch();
    this.#cancelWatch = this.#parts.clock.after(streamPingMs, () => {
      if (this.#parts.clock.monotonicMs() - this.#heardAtMs > streamDeadMs) return socket.terminate();
      if (socket.readyState === WebSocket.OPEN) socket.ping();
      this.#watch(socket);
    });
  }

  /**
   * Says again and again that this node runs, by a pong that nobody asked for (RFC 6455 §5.5.3). What the line does not
   * take is not added to: it would say later that the node ran earlier.
   */
  #beat(socket: WebSocket): void {
    this.#cancelBeat();
    this.#cancelBeat = this.#parts.clock.after(this.#beatMs, () => {
      if (socket.readyState === WebSocket.OPEN && socket.bufferedAmount < beatBacklogBytesMax) socket.pong();
      this.#beat(socket);
    });
  }

  #ended(code: number, why: string): void {
    this.#cancelWatch();
    this.#cancelBeat();
    this.#unread.clear();
    this.#socket = null;
    if (this.#closed) return;
    if (code === closeCodes.revoked) return this.#parts.events.revoked();
    if (code === closeCodes.duplicate) {
      this.#awayMs = duplicateRetryMs;
      this.#parts.events.duplicate();
    }
    const awayMs = this.#awayMs;
    this.#awayMs = 0;
    const againMs = Math.max(awayMs, hopeless.has(code) ? reconnectMaxMs : this.#backoff.nextMs());
    this.#parts.events.lost(why, againMs);
    this.#cancelRetry = this.#parts.clock.after(againMs, () => this.open());
  }
}

/** Trying again soon would not help: two agents with one identity, two versions without a shared capability, too much said. */
const hopeless: ReadonlySet<number> = new Set([closeCodes.replaced, closeCodes.protocol, closeCodes.limited]);

/** What the platform asks for (RFC 9110 §10.2.3), as long as a platform may ask for it. */
function awayMsIn({ headers }: IncomingMessage): number {
  const text = headers['retry-after'] ?? '';
  return /^\d{1,6}$/.test(text) ? Math.min(Number(text) * 1000, streamPauseMaxMs) : 0;
}

/** A frame of observations on its way is a sign of life by itself. */
const beatBacklogBytesMax = 64 * 1024;

export const streamRefusal = z.object({ detail: z.string().max(problemDetailMax) });

/** An IPv4 address that a socket of both families shows as IPv6. */
function withoutMapping(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

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
  const parsed = streamRefusal.safeParse(parseJson(text));
  return parsed.success ? parsed.data.detail : `HTTP status ${response.statusCode}`;
}
