// What reaches the simulated nodes and when, and waiting for it.
import type { PlatformMessage } from '@powernode/core/wire/node-stream';
import type { Bytes, Reached } from './nodes-messages.ts';

/** Whoever waits longer has met a fault, not a slow platform. */
const waitMaxMs = 120_000;

interface Wait {
  readonly nodes: Set<number>;
  readonly arrived: (message: PlatformMessage) => boolean;
  readonly resolve: (reached: Reached) => void;
}

export class Arrivals {
  readonly #bytes: Float64Array;
  /** The newest revision that each node holds. */
  readonly #held: Float64Array;
  readonly #heldAtMs: Float64Array;
  readonly #waits = new Set<Wait>();

  constructor(nodes: number) {
    this.#bytes = new Float64Array(nodes);
    this.#held = new Float64Array(nodes).fill(-1);
    this.#heldAtMs = new Float64Array(nodes);
  }

  /** Called when a node has taken a frame, its document changed. */
  note(node: number, message: PlatformMessage, bytes: number): void {
    const atMs = Date.now();
    this.#bytes[node] = (this.#bytes[node] ?? 0) + bytes;
    if ('revision' in message) {
      this.#held[node] = message.revision;
      this.#heldAtMs[node] = atMs;
    }
    for (const wait of this.#waits) {
      if (!wait.arrived(message) || !wait.nodes.delete(node)) continue;
      if (wait.nodes.size > 0) continue;
      this.#waits.delete(wait);
      wait.resolve({ lastAtMs: atMs });
    }
  }

  /** Until each of the nodes has got such a message from here on. */
  until(nodes: Iterable<number>, arrived: Wait['arrived']): Promise<Reached> {
    const missing = new Set(nodes);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        reject(
          new Error(`${missing.size} nodes wait for ${waitMaxMs} ms, the first of them ${[...missing][0]}`),
        );
      }, waitMaxMs);
      this.#waits.add({
        nodes: missing,
        arrived,
        resolve: (reached) => {
          clearTimeout(late);
          resolve(reached);
        },
      });
    });
  }

  /** Until each of the nodes holds the revision, or a newer one. */
  async held(revision: number, nodes: readonly number[]): Promise<Reached> {
    const missing = nodes.filter((node) => (this.#held[node] ?? -1) < revision);
    if (missing.length > 0) {
      await this.until(missing, (message) => 'revision' in message && message.revision >= revision);
    }
    return { lastAtMs: Math.max(...nodes.map((node) => this.#heldAtMs[node] ?? 0)) };
  }

  forget(): void {
    this.#bytes.fill(0);
  }

  bytes(nodes: readonly number[]): Bytes {
    const named = nodes.reduce((sum, node) => sum + (this.#bytes[node] ?? 0), 0);
    return { named, others: this.total() - named };
  }

  total(): number {
    return this.#bytes.reduce((sum, bytes) => sum + bytes, 0);
  }
}
