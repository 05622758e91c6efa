// The process of simulated nodes as the benchmark sees it: one order at a time, each answered.
import { fork } from 'node:child_process';
import path from 'node:path';
import { endChild } from '../stage/child.ts';
import { ending } from '../stage/endings.ts';
import type { Answers, Order, OrderKind } from './nodes-messages.ts';

export class NodesProcess {
  readonly #child;

  constructor(of: { readonly nodeUrl: string; readonly credentialsFile: string }) {
    this.#child = fork(path.join(import.meta.dirname, 'nodes-main.ts'), [of.nodeUrl, of.credentialsFile]);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  tell<K extends OrderKind>(order: Extract<Order, { readonly kind: K }>): Promise<Answers[K]> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`the simulated nodes ended with ${code}`));
      child.once('exit', ended);
      child.once('message', (answer) => {
        child.off('exit', ended);
        resolve(answer as Answers[K]);
      });
      child.send(order);
    });
  }

  readonly end = ending(async () => {
    if (this.#child.connected) this.#child.disconnect();
    await endChild(this.#child);
  });
}
