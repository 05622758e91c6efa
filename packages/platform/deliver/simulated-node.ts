// A node without a machine: speaks the protocol over a real mutual TLS connection, holds a document, and says that
// it has applied what it got. For tests and for the load of benchmarks, thousands in one process.
import { randomUUID } from 'node:crypto';
import { addDigests, entryDigest, formatDigest, subtractDigests } from '@powernode/core/compile/digest';
import { streamBeatMs } from '@powernode/core/limits/node-stream';
import { newestCapability } from '@powernode/core/wire/capability';
import { type EntryValue, entryKey, isKnownEntry } from '@powernode/core/wire/document';
import {
  type DeltaMessage,
  type DocumentMessage,
  type LeaseRenewMessage,
  type NodeMessage,
  nodeStreamPath,
  type Observed,
  type PlatformMessage,
} from '@powernode/core/wire/node-stream';
import { type ClientOptions, WebSocket } from 'ws';

/** What a machine connects with. */
export interface NodeCredentials {
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly authorityPem: string;
}

/** What a node keeps of its document. */
export interface Holding {
  readonly digest: bigint;
  replace(entries: readonly EntryValue[]): void;
  change(delta: { readonly set: readonly EntryValue[]; readonly remove: readonly string[] }): void;
}

/** Keeps every entry, and so can prove its hash. */
export class DocumentHolding implements Holding {
  readonly entries = new Map<string, EntryValue>();
  digest = 0n;

  replace(entries: readonly EntryValue[]): void {
    this.entries.clear();
    this.digest = 0n;
    for (const entry of entries) this.#set(entry);
  }

  change({ set, remove }: Parameters<Holding['change']>[0]): void {
    for (const key of remove) this.#remove(key);
    for (const entry of set) this.#set(entry);
  }

  #set(entry: EntryValue): void {
    const key = entryKey(entry);
    this.#remove(key);
    this.entries.set(key, entry);
    this.digest = addDigests(this.digest, entryDigest(entry));
  }

  #remove(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.digest = subtractDigests(this.digest, entryDigest(entry));
  }
}

export interface SimulatedNodeOptions {
  /** https://host:port of the node listener. */
  readonly nodeUrl: string;
  readonly credentials: NodeCredentials;
  readonly unusedKeys?: readonly string[];
  readonly addresses?: readonly string[];
  /** Left out: a program of its own. */
  readonly run?: string;
  /**
   * Keeps the document and checks its hash. Without one the node believes the hash that it is sent, which costs
   * next to nothing: for load, not for tests of what arrives.
   */
  readonly holding?: Holding;
  readonly onMessage?: (message: PlatformMessage, bytes: number) => void;
}

interface Held {
  readonly revision: number;
  readonly hash: string;
}

export class SimulatedNode {
  readonly #options: SimulatedNodeOptions;
  #socket: WebSocket | null = null;
  #beat: NodeJS.Timeout | undefined;
  /** Does not say that it runs, as a machine that is suspended. */
  isSuspended = false;
  #held: Held | null = null;
  #applied: Held | null = null;
  #isApplying = true;
  #sequence = 0;
  /** Of the program that it would be. */
  readonly run: string;
  /** How the last stream ended: code and reason. */
  ended: { readonly code: number; readonly reason: string } | null = null;
  readonly received = { frames: 0, bytes: 0, documents: 0, deltas: 0, currents: 0 };

  constructor(options: SimulatedNodeOptions) {
    this.#options = options;
    this.run = options.run ?? randomUUID();
  }

  get held(): Held | null {
    return this.#held;
  }
  get connected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Resolves when the stream is open and hello is said. */
  connect(nodeUrl = this.#options.nodeUrl): Promise<void> {
    const { credentials } = this.#options;
    const url = `${nodeUrl.replace(/^http/, 'ws')}${nodeStreamPath}`;
    const socket = new WebSocket(url, { ...tlsOf(credentials), perMessageDeflate: false });
    this.#socket = socket;
    this.ended = null;
    socket.on('message', (data: Buffer) => {
      if (this.#socket === socket) this.#receive(data);
    });
    socket.on('close', (code, reason) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      clearInterval(this.#beat);
      this.ended = { code, reason: reason.toString() };
    });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', () => {
        socket.off('error', reject);
        socket.on('error', () => undefined);
        this.#hello();
        this.#beats(streamBeatMs);
        resolve();
      });
    });
  }

  /** Ends the stream at once, as a lost machine would. */
  drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    clearInterval(this.#beat);
    socket?.terminate();
  }

  close(): void {
    this.#socket?.close();
  }

  observe(observed: Partial<Omit<Observed, 'kind'>>): void {
    this.say({ kind: 'observed', tunnels: [], subsystems: [], drift: [], routes: [], ...observed });
  }

  /** As a hub: which of the peers that it watches it hears. */
  paths(peers: Extract<NodeMessage, { kind: 'paths' }>['peers']): void {
    this.say({ kind: 'paths', peers });
  }

  /** What its probes say. */
  probed(said: Partial<Omit<Extract<NodeMessage, { kind: 'probed' }>, 'kind'>>): void {
    this.say({ kind: 'probed', heard: [], paths: [], ...said });
  }

  /** Asks to go on holding addresses; answers the number of the question. */
  renewLeases(leases: LeaseRenewMessage['leases']): number {
    this.say({ kind: 'lease_renew', sequence: ++this.#sequence, leases });
    return this.#sequence;
  }

  /** With false, documents are received and not applied, as by a machine that is stuck. */
  set applying(isApplying: boolean) {
    this.#isApplying = isApplying;
    if (isApplying && this.#held !== this.#applied) this.#apply();
  }

  /** Any frame, also a wrong one. */
  say(frame: object): void {
    this.#socket?.send(JSON.stringify(frame));
  }

  #beats(everyMs: number): void {
    clearInterval(this.#beat);
    this.#beat = setInterval(() => {
      if (!this.isSuspended && this.connected) this.#socket?.pong();
    }, everyMs);
    this.#beat.unref();
  }

  #hello(): void {
    this.say({
      kind: 'hello',
      capability: newestCapability,
      run: this.run,
      agent_version: 'simulated',
      hostname: 'simulated',
      held: this.#held,
      applied: this.#applied,
      addresses: this.#options.addresses ?? [],
      underlay: [],
      unused_keys: this.#options.unusedKeys ?? [],
    });
  }

  #receive(data: Buffer): void {
    this.received.frames++;
    this.received.bytes += data.length;
    const message = JSON.parse(data.toString('utf8')) as PlatformMessage;
    if (message.kind === 'document') this.#document(message);
    else if (message.kind === 'delta') this.#delta(message);
    else if (message.kind === 'current') this.received.currents++;
    else if (message.kind === 'beat') this.#beats(message.every_ms);
    this.#options.onMessage?.(message, data.length);
  }

  #document({ revision, hash, entries }: DocumentMessage): void {
    this.received.documents++;
    this.#options.holding?.replace(entries.filter(isKnownEntry));
    this.#holds({ revision, hash });
  }

  #delta({ base, revision, hash, set, remove }: DeltaMessage): void {
    this.received.deltas++;
    if (base !== this.#held?.revision) return this.say({ kind: 'resync' });
    this.#options.holding?.change({ set: set.filter(isKnownEntry), remove });
    this.#holds({ revision, hash });
  }

  #holds(held: Held): void {
    const { holding } = this.#options;
    if (holding !== undefined && formatDigest(holding.digest) !== held.hash) {
      return this.say({ kind: 'resync' });
    }
    this.#held = held;
    if (this.#isApplying) this.#apply();
  }

  #apply(): void {
    this.#applied = this.#held;
    if (this.#applied !== null) this.say({ kind: 'applied', ...this.#applied });
  }
}

function tlsOf({ keyPem, certificatePem, authorityPem }: NodeCredentials): ClientOptions {
  return {
    key: keyPem,
    cert: certificatePem,
    ca: authorityPem,
    // No objection: whoever the authority made a server's certificate for is the platform, whatever its name.
    checkServerIdentity: () => false,
  };
}
