// Gathers nodes that have something to be written, and writes them together, account by account. What is written
// is read from the node at that time, so that gathering twice costs nothing.

import { ProductError } from '@powernode/core/errors';
import type { AccountId } from '@powernode/core/ids';
import { reportRetryMs, reportRowsMax } from '@powernode/core/limits/node-stream';
import type { Logger } from 'pino';
import type { Clock } from '../../trust/clock.ts';
import type { NodeState } from '../nodes/node-state.ts';

export interface NodeBatchParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** In words, for the log. */
  readonly what: string;
  readonly delayMs: number;
  /** May be called again with the same nodes when the database was away. */
  readonly write: (accountId: AccountId, nodes: readonly NodeState[]) => Promise<void>;
}

export class NodeBatch {
  readonly #parts: NodeBatchParts;
  #waiting = new Map<string, Set<NodeState>>();
  #due = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(parts: NodeBatchParts) {
    this.#parts = parts;
  }

  add(node: NodeState): void {
    this.#put(node);
    this.#schedule(this.#parts.delayMs);
  }

  /** Writes what waits, and waits for what is being written. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeAll());
    return this.#writing;
  }

  #put(node: NodeState): void {
    let nodes = this.#waiting.get(node.accountId);
    if (nodes === undefined) {
      nodes = new Set();
      this.#waiting.set(node.accountId, nodes);
    }
    nodes.add(node);
  }

  #schedule(delayMs: number): void {
    if (this.#due) return;
    this.#due = true;
    this.#parts.clock.after(delayMs, () => {
      this.#due = false;
      void this.flush();
    });
  }

  async #writeAll(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const [accountId, set] of waiting) {
      const nodes = [...set];
      for (let at = 0; at < nodes.length; at += reportRowsMax) {
        await this.#write(accountId, nodes.slice(at, at + reportRowsMax));
      }
    }
  }

  async #write(accountId: AccountId, nodes: readonly NodeState[]): Promise<void> {
    const { log, what, write } = this.#parts;
    try {
      await write(accountId, nodes);
    } catch (error) {
      if (error instanceof ProductError && error.code === 'database_unavailable') {
        for (const node of nodes) this.#put(node);
        this.#schedule(reportRetryMs);
        log.warn({ err: error, accountId }, `${what}: kept until the database answers`);
      } else if (nodes.length > 1) {
        // The reports of one node must not cost the others theirs.
        const middle = nodes.length >> 1;
        await this.#write(accountId, nodes.slice(0, middle));
        await this.#write(accountId, nodes.slice(middle));
      } else {
        log.error({ err: error, instanceId: nodes[0]?.instanceId }, `${what}: could not be written`);
      }
    }
  }
}
