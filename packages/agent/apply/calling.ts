// Chooses where to call peers. Of several endpoints: the first of a family that this machine has, and the next one when
// nobody answers; one that works stays. A place that only hubs vouch for (a direct path) is tried a few times, ever
// more seldom, and then no more until something speaks for a new try. What no other machine can be is never called.
import {
  directTriesMax,
  directTryMs,
  directTryPauseMs,
  endpointTryMaxMs,
  endpointTryMs,
  refusedKeptMax,
} from '@powernode/core/limits/agent';
import { type Family, familyOf, parseEndpoint } from '@powernode/core/net/address';
import type { Prefix } from '@powernode/core/net/prefix';
import { type EndpointRefusal, endpointRefusal, prefixesFrom } from '@powernode/core/net/special-addresses';
import { type EntryValue, entryKey, type PeerEntry } from '@powernode/core/wire/document';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { FoundProblem } from '../observe/problems.ts';
import { type PathIndex, tunnelKey } from '../plan/path-index.ts';
import type { PathState } from '../probe/path-state.ts';
import type { ObservedState } from '../subsystems/observed.ts';
import type { Calls } from '../subsystems/wireguard/calls.ts';

/** How one peer is called. */
interface Try {
  /** The preferred one first. */
  readonly endpoints: readonly string[];
  readonly at: number;
  /** Since when the present endpoint is tried without an answer; null: it answers, or was not looked at yet. */
  readonly sinceMs: number | null;
  /** How many tries have gone by without an answer. */
  readonly failed: number;
  /** Until then it is not called; infinity: until something speaks for it. null: it is called. */
  readonly silentUntilMs: number | null;
}

export interface CallingParts {
  /** What of the document paths depend on. */
  readonly index: PathIndex;
  /** The families in which this machine reaches others; empty: not known. */
  readonly families: () => readonly Family[];
}

export class Calling implements Calls {
  readonly #parts: CallingParts;
  /** Of peers that have a choice, and of direct paths; by the key of their entry. */
  readonly #tries = new Map<string, Try>();
  readonly #refusals = new Map<string, EndpointRefusal | null>();
  readonly #refused = new Map<string, FoundProblem>();
  /** Keys whose endpoint was changed by the last look. */
  #own = new Set<string>();
  #overlays: readonly Prefix[] = [];

  constructor(parts: CallingParts) {
    this.#parts = parts;
  }

  /** Endpoints of the document that are not called. */
  get refused(): readonly FoundProblem[] {
    return [...this.#refused.values()];
  }

  asCalled(entry: PeerEntry): PeerEntry {
    if (entry.endpoint === null) return entry;
    const one = this.#tries.get(entryKey(entry));
    const endpoint = one === undefined ? this.#usable(entry)[0] : one.endpoints[one.at];
    if (endpoint === undefined || (one !== undefined && one.silentUntilMs !== null)) {
      return { ...entry, endpoint: null, keepalive: 0 };
    }
    return endpoint === entry.endpoint ? entry : { ...entry, endpoint };
  }

  isSilenced(key: string): boolean {
    const one = this.#tries.get(key);
    return one !== undefined && one.silentUntilMs !== null;
  }

  /** Whether what differs under this key may be a decision of the last look. */
  isOwn(key: string): boolean {
    return this.#own.has(key);
  }

  /** To be told of a document after its index. `keys`: which entries may differ. */
  update(document: NodeDocument, keys: ReadonlySet<string> | 'all'): void {
    const all = keys === 'all' || [...keys].some((key) => key.startsWith('firewall/'));
    if (all) {
      this.#readOverlays(document);
      for (const map of [this.#tries, this.#refused]) {
        for (const key of map.keys()) if (document.entries.get(key)?.kind !== 'peer') map.delete(key);
      }
    }
    for (const key of all ? document.entries.keys() : keys) {
      if (key.startsWith('peer/')) this.#take(key, document.entries.get(key));
      // What makes a path a direct one is its probe.
      if (key.startsWith('probe/')) this.#takeProbed(document.entries, key);
    }
  }

  /** Something of this machine's own has changed that unanswered tries may have been due to. */
  retry(): void {
    for (const [key, one] of this.#tries) {
      if (one.silentUntilMs !== null) this.#tries.set(key, { ...one, silentUntilMs: 0, failed: 0 });
    }
  }

  /** Takes a look into account. `nowMs` is of the monotonic clock. */
  weigh(at: {
    readonly document: NodeDocument;
    readonly observed: ObservedState;
    readonly stateOf: (tunnel: { readonly interface: string; readonly publicKey: string }) => PathState;
    readonly nowMs: number;
  }): void {
    this.#own = new Set();
    for (const [key, one] of this.#tries) {
      const entry = at.document.entries.get(key);
      if (entry?.kind !== 'peer') continue;
      const peer = at.observed.interfaces.get(entry.interface)?.device?.peers.get(entry.public_key);
      if (peer === undefined) continue;
      const state = at.stateOf({ interface: entry.interface, publicKey: entry.public_key });
      const answers = state === 'alive' || state === 'returning';
      const next = answers
        ? answered(one, peer.endpoint)
        : this.#parts.index.isDirect(entry)
          ? unansweredDirect(one, at.nowMs)
          : unanswered(one, at.nowMs);
      if (next === one) continue;
      this.#tries.set(key, next);
      if (next.at !== one.at || next.silentUntilMs !== one.silentUntilMs) this.#own.add(key);
    }
  }

  #take(key: string, entry: EntryValue | undefined): void {
    if (entry?.kind !== 'peer' || entry.endpoint === null) {
      this.#tries.delete(key);
      this.#refused.delete(key);
      return;
    }
    this.#noteRefused(key, entry);
    const direct = this.#parts.index.isDirect(entry);
    const endpoints = this.#usable(entry);
    if (endpoints.length === 0 || (endpoints.length === 1 && !direct)) {
      this.#tries.delete(key);
      return;
    }
    const before = this.#tries.get(key);
    if (before !== undefined && before.endpoints.join() === endpoints.join()) return;
    // One that is called now and is still named stays: it may be the one that works.
    const called = before?.silentUntilMs === null ? before.endpoints[before.at] : undefined;
    const kept = called === undefined ? -1 : endpoints.indexOf(called);
    this.#tries.set(key, { endpoints, at: Math.max(kept, 0), sinceMs: null, failed: 0, silentUntilMs: null });
  }

  #takeProbed(entries: ReadonlyMap<string, EntryValue>, key: string): void {
    const probe = entries.get(key);
    if (probe?.kind !== 'probe' || probe.purpose !== 'direct') return;
    const tunnel = tunnelKey({ interface: probe.interface, publicKey: probe.public_key });
    if (!this.#tries.has(tunnel)) this.#take(tunnel, entries.get(tunnel));
  }

  /** Those that may be called, of families that this machine has first. */
  #usable(entry: PeerEntry): string[] {
    if (entry.endpoint === null) return [];
    const named = [entry.endpoint, ...(entry.fallback_endpoints ?? [])];
    const fit = named.filter((text) => parseEndpoint(text) === null || this.#refusalOf(text) === null);
    if (fit.length < 2) return fit;
    const families = this.#parts.families();
    const reached = (text: string) => families.includes(familyOf(text.startsWith('[') ? '::' : '0.0.0.0'));
    return [...fit.filter(reached), ...fit.filter((text) => !reached(text))];
  }

  #refusalOf(text: string): EndpointRefusal | null {
    let refusal = this.#refusals.get(text);
    if (refusal === undefined) {
      if (this.#refusals.size >= refusedKeptMax) this.#refusals.clear();
      refusal = endpointRefusal(text, this.#overlays);
      this.#refusals.set(text, refusal);
    }
    return refusal;
  }

  #noteRefused(key: string, entry: PeerEntry): void {
    const named = [...(entry.endpoint === null ? [] : [entry.endpoint]), ...(entry.fallback_endpoints ?? [])];
    const endpoint = named.find((text) => parseEndpoint(text) !== null && this.#refusalOf(text) !== null);
    if (endpoint === undefined) this.#refused.delete(key);
    else {
      const why = this.#refusalOf(endpoint)?.why ?? '';
      const networkId = this.#parts.index.interfaces.get(entry.interface)?.network_id;
      this.#refused.set(key, {
        code: 'endpoint_refused',
        detail: `The endpoint ${endpoint} of the peer ${entry.peer_id} is ${why}, so it is not used.`,
        networkId,
        peerId: entry.peer_id,
        interface: entry.interface,
      });
    }
  }

  /** The prefixes inside of tunnels: of every network that this machine is in. */
  #readOverlays(document: NodeDocument): void {
    const firewalls = [...document.all('firewall').values()];
    this.#overlays = prefixesFrom(firewalls.flatMap((firewall) => firewall.prefixes));
    this.#refusals.clear();
  }
}

/** It answers: from here on it is tried from the beginning when it stops. One that called from elsewhere is there. */
function answered(one: Try, seenAt: string | null): Try {
  const at = seenAt === null ? -1 : one.endpoints.indexOf(seenAt);
  const same = one.sinceMs === null && one.failed === 0 && one.silentUntilMs === null;
  if (same && (at < 0 || at === one.at)) return one;
  return { ...one, at: at < 0 ? one.at : at, sinceMs: null, failed: 0, silentUntilMs: null };
}

/** The next one when this one had its time; after each round of all of them it is given more. */
function unanswered(one: Try, nowMs: number): Try {
  if (one.sinceMs === null) return { ...one, sinceMs: nowMs };
  const rounds = Math.floor(one.failed / one.endpoints.length);
  if (nowMs - one.sinceMs < Math.min(endpointTryMs * 2 ** rounds, endpointTryMaxMs)) return one;
  return { ...one, at: (one.at + 1) % one.endpoints.length, failed: one.failed + 1, sinceMs: nowMs };
}

/** Called for a while, then not, for longer each time; and after the last time not any more. */
function unansweredDirect(one: Try, nowMs: number): Try {
  if (one.silentUntilMs !== null) {
    return nowMs < one.silentUntilMs ? one : { ...one, silentUntilMs: null, sinceMs: nowMs };
  }
  if (one.sinceMs === null) return { ...one, sinceMs: nowMs };
  if (nowMs - one.sinceMs < directTryMs) return one;
  const failed = one.failed + 1;
  const silentUntilMs =
    failed >= directTriesMax ? Number.POSITIVE_INFINITY : nowMs + directTryPauseMs * 2 ** one.failed;
  return { ...one, failed, sinceMs: null, silentUntilMs };
}
