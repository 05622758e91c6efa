// Events of what was repaired on machines: one for each report of a node, and only so many in a minute.

import { driftBytes, driftPerEventMax, nodeEventsPerMinuteMax } from '@powernode/core/limits/node-stream';
import type { Observed } from '@powernode/core/wire/node-stream';
import type { Logger } from 'pino';
import { type EventBus, publishEvents } from '../../events/event-bus.ts';
import { writeEvents } from '../../events/write-events.ts';
import type { Store } from '../../store/open-store.ts';
import { inAccount } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';
import { makeEvent } from '../../trust/node-events.ts';
import { TokenBucket } from '../../trust/token-bucket.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { EventBudget } from './event-budget.ts';

export interface DriftParts {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly clock: Pick<Clock, 'now' | 'steady'>;
  readonly log: Logger;
}

export class DriftEvents {
  readonly #parts: DriftParts;
  readonly #budget: EventBudget;
  readonly #bytes = new WeakMap<NodeState, TokenBucket>();

  constructor(parts: DriftParts) {
    this.#parts = parts;
    this.#budget = new EventBudget(parts.clock, nodeEventsPerMinuteMax);
  }

  repaired(node: NodeState, drift: Observed['drift']): void {
    node.repaired += drift.length;
    const allowed = this.#budget.take(node, drift.length);
    if (allowed !== null) void this.#write(node, drift, allowed.unreported);
  }

  /** What the event names: the first things, or none when the node has filled enough of the disk. */
  #named(node: NodeState, drift: Observed['drift']): Observed['drift'] {
    const named = drift.slice(0, driftPerEventMax);
    const now = this.#parts.clock.steady();
    const bucket = this.#bytes.get(node) ?? new TokenBucket(driftBytes, now);
    this.#bytes.set(node, bucket);
    return bucket.tryTake(JSON.stringify(named).length, now) ? named : [];
  }

  async #write(node: NodeState, drift: Observed['drift'], unreported: number): Promise<void> {
    const { store, bus, clock, log } = this.#parts;
    const draft = makeEvent(clock, {
      accountId: node.accountId,
      kind: 'sdwan.drift.repaired',
      severity: 'warning',
      instance: { id: node.instanceId, hostname: node.hostname },
      payload: {
        node_instance_id: node.instanceId,
        hostname: node.hostname,
        repaired: this.#named(node, drift),
        repaired_count: drift.length + unreported,
      },
    });
    try {
      publishEvents(bus, await inAccount(store, node.accountId, (trx) => writeEvents(trx, [draft])));
    } catch (error) {
      log.warn({ err: error, instanceId: node.instanceId }, 'an event of repaired drift is lost');
    }
  }
}
