// What is known of nodes that matter to virtual IPs, whichever process has their stream: whether they are connected,
// what they have applied, and what hubs say of peers. A node has one stream, but a process may not know yet that it
// has left: so there may be several sights of one node, and alive counts more than dead.
import { hearsayExpiryMs } from '@powernode/core/limits';
import type { Word } from '@powernode/core/virtual-ips/state';
import type { Held } from '../../deliver/nodes/node-state.ts';
import type { Hearing } from './hearsay.ts';

interface Sight {
  readonly stream: string;
  readonly openedMs: number;
  heardMs: number;
  applied: Held | null;
  readonly words: Map<string, { readonly alive: boolean; readonly sinceMs: number }>;
}

/** Told after something has changed. */
export interface SightListener {
  /** Whether the node is connected, or what it has applied. */
  readonly seen: (instanceId: string) => void;
  readonly said: (instanceId: string, peerId: string) => void;
}

export class Sights {
  /** By machine, and by the process that has its stream. */
  readonly #sights = new Map<string, Map<string, Sight>>();
  readonly #steady: () => number;
  listener: SightListener = { seen: () => undefined, said: () => undefined };

  /** `steady`: milliseconds of a clock that never jumps. */
  constructor(steady: () => number) {
    this.#steady = steady;
  }

  see(process: string, hearing: Hearing): void {
    const { instanceId, stream, applied, words } = hearing;
    const now = this.#steady();
    const before = this.#sights.get(instanceId)?.get(process);
    if (before !== undefined && before.stream !== stream) this.#drop(instanceId, process);
    const known = before?.stream === stream ? before : undefined;
    const sight: Sight = known ?? { stream, openedMs: now, heardMs: now, applied, words: new Map() };
    const isNews = known === undefined || !isSame(known.applied, applied);
    sight.heardMs = now;
    sight.applied = applied;
    const of = this.#sights.get(instanceId) ?? new Map<string, Sight>();
    this.#sights.set(instanceId, of.set(process, sight));
    if (isNews) this.listener.seen(instanceId);
    for (const word of words) this.#say(instanceId, sight, word);
  }

  /** A word of a node on the stream of this process. */
  say(process: string, instanceId: string, word: { readonly peerId: string; readonly alive: boolean }): void {
    const sight = this.#sights.get(instanceId)?.get(process);
    if (sight !== undefined) this.#say(instanceId, sight, word);
  }

  left(process: string, instanceId: string, stream: string): void {
    if (this.#sights.get(instanceId)?.get(process)?.stream === stream) this.#drop(instanceId, process);
  }

  /** The process hears nobody but these. */
  only(process: string, hearings: readonly Hearing[]): void {
    const streams = new Set(hearings.map(({ stream }) => stream));
    for (const [instanceId, of] of this.#sights) {
      const sight = of.get(process);
      if (sight !== undefined && !streams.has(sight.stream)) this.#drop(instanceId, process);
    }
    for (const hearing of hearings) this.see(process, hearing);
  }

  /** Forgets what another process has not repeated for long. */
  expire(self: string): void {
    const before = this.#steady() - hearsayExpiryMs;
    for (const [instanceId, of] of this.#sights) {
      for (const [process, { heardMs }] of of) {
        if (process !== self && heardMs < before) this.#drop(instanceId, process);
      }
    }
  }

  isConnected(instanceId: string): boolean {
    return (this.#sights.get(instanceId)?.size ?? 0) > 0;
  }

  applied(instanceId: string): Held | null {
    let newest: Held | null = null;
    for (const { applied } of this.#sights.get(instanceId)?.values() ?? []) {
      if (applied !== null && (newest === null || applied.revision > newest.revision)) newest = applied;
    }
    return newest;
  }

  wordOf(instanceId: string, peerId: string): Word | null {
    let word: Word | null = null;
    for (const { openedMs, words } of this.#sights.get(instanceId)?.values() ?? []) {
      const said = words.get(peerId);
      if (said === undefined) continue;
      const one = { alive: said.alive, sinceMs: said.sinceMs, openedMs };
      word = word === null ? one : merged(word, one);
    }
    return word;
  }

  /** The streams that the node may be on. */
  streamsOf(instanceId: string): { readonly process: string; readonly stream: string }[] {
    return Array.from(this.#sights.get(instanceId) ?? [], ([process, { stream }]) => ({ process, stream }));
  }

  /** What this process hears of a node. */
  hearing(process: string, instanceId: string): Hearing | null {
    const sight = this.#sights.get(instanceId)?.get(process);
    if (sight === undefined) return null;
    const words = Array.from(sight.words, ([peerId, { alive }]) => ({ peerId, alive }));
    return { instanceId, stream: sight.stream, applied: sight.applied, words };
  }

  instancesOf(process: string): string[] {
    return [...this.#sights].flatMap(([instanceId, of]) => (of.has(process) ? [instanceId] : []));
  }

  #say(instanceId: string, sight: Sight, { peerId, alive }: { peerId: string; alive: boolean }): void {
    if (sight.words.get(peerId)?.alive === alive) return;
    sight.words.set(peerId, { alive, sinceMs: this.#steady() });
    this.listener.said(instanceId, peerId);
  }

  #drop(instanceId: string, process: string): void {
    const of = this.#sights.get(instanceId);
    const sight = of?.get(process);
    if (of === undefined || sight === undefined) return;
    of.delete(process);
    if (of.size === 0) this.#sights.delete(instanceId);
    for (const peerId of sight.words.keys()) this.listener.said(instanceId, peerId);
    this.listener.seen(instanceId);
  }
}

function isSame(a: Held | null, b: Held | null): boolean {
  return a?.hash === b?.hash && a?.revision === b?.revision;
}

function merged(a: Word, b: Word): Word {
  if (a.alive !== b.alive) return a.alive ? a : b;
  return {
    alive: a.alive,
    sinceMs: Math.max(a.sinceMs, b.sinceMs),
    openedMs: Math.max(a.openedMs, b.openedMs),
  };
}
