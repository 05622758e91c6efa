// The prober's UDP sockets: one for each address of this node that probes are answered at or sent from, so that what
// is sent has the right source. An address may come later than the wish to use it, and go sooner; both are no error.
import dgram from 'node:dgram';
import { probeBindAgainMs, probeHops } from '@powernode/core/limits/probe';
import type { Endpoint } from './engine.ts';

/** An address of this node and a port of it; null: any port. */
export interface Local {
  readonly address: string;
  readonly port: number | null;
}

interface Kept {
  readonly local: Local;
  socket: dgram.Socket | null;
  isBound: boolean;
  tryAtMs: number;
}

type Take = (bytes: Uint8Array, at: { readonly local: string; readonly from: Endpoint }) => void;

export class Sockets {
  readonly #take: Take;
  readonly #kept = new Map<string, Kept>();

  constructor(take: Take) {
    this.#take = take;
  }

  /** From here on these and no others. */
  keep(locals: readonly Local[], nowMs: number): void {
    const wanted = new Map(locals.map((local) => [keyOf(local), local]));
    for (const [key, kept] of this.#kept) {
      if (wanted.has(key)) continue;
      this.#kept.delete(key);
      kept.socket?.close();
    }
    for (const [key, local] of wanted) {
      if (!this.#kept.has(key)) this.#kept.set(key, { local, socket: null, isBound: false, tryAtMs: nowMs });
    }
    this.tick(nowMs);
  }

  /** Tries those again whose address was not there. */
  tick(nowMs: number): void {
    for (const kept of this.#kept.values()) {
      if (kept.socket !== null || kept.tryAtMs > nowMs) continue;
      kept.tryAtMs = nowMs + probeBindAgainMs;
      this.#bind(kept);
    }
  }

  /** What cannot be sent is lost, as it might be on its way. */
  send(bytes: Uint8Array, from: Local, to: Endpoint): void {
    const kept = this.#kept.get(keyOf(from));
    if (kept?.isBound === true) kept.socket?.send(bytes, to.port, to.address, () => undefined);
  }

  #bind(kept: Kept): void {
    // Only addresses are given, so nothing is looked up.
    const lookup = (address: string, _options: unknown, done: (e: null, a: string, f: number) => void) =>
      done(null, address, 6);
    const socket = dgram.createSocket({ type: 'udp6', ipv6Only: true, lookup });
    kept.socket = socket;
    socket.on('message', (bytes, from) => this.#take(bytes, { local: kept.local.address, from }));
    socket.on('listening', () => {
      kept.isBound = true;
      socket.setTTL(probeHops);
    });
    socket.on('close', () => {
      if (kept.socket !== socket) return;
      kept.socket = null;
      kept.isBound = false;
    });
    socket.on('error', () => socket.close());
    socket.bind({ address: kept.local.address, port: kept.local.port ?? 0, exclusive: true });
  }
}

function keyOf(local: Local): string {
  return `${local.address} ${local.port ?? 0}`;
}
