// Events of what was mended on machines: one for each report of a node, and only so many in a minute.

import { nodeEventsPerMinuteMax } from '@powernode/core/limits';
import type { Observed } from '@powernode/core/wire/node-stream';
import type { Logger } from 'pino';
import { type EventBus, publishEvents } from '../../events/event-bus.ts';
import { writeEvents } from '../../events/write-events.ts';
import type { Store } from '../../store/open-store.ts';
import { inAccount } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';
import { makeEvent } from '../../trust/node-events.ts';
import type { NodeState } from '../nodes/node-state.ts';

export interface DriftParts {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
}

interface Minute {
  readonly since: number;
  events: number;
  /** Mended things that were not told of because there were too many events. */
  untold: number;
}

export class DriftEvents {
  readonly #parts: DriftParts;
  readonly #minutes = new WeakMap<NodeState, Minute>();

  constructor(parts: DriftParts) {
    this.#parts = parts;
  }

  mended(node: NodeState, drift: Observed['drift']): void {
    const untold = this.#count(node, drift.length);
    if (untold !== null) void this.#write(node, drift, untold);
  }

  /** How many to mention beside; null: there were too many events already. */
  #count(node: NodeState, things: number): number | null {
    const now = this.#parts.clock.now();
    let minute = this.#minutes.get(node);
    if (minute === undefined || now - minute.since >= 60_000) {
      minute = { since: now, events: 0, untold: minute?.untold ?? 0 };
      this.#minutes.set(node, minute);
    }
    if (minute.events >= nodeEventsPerMinuteMax) {
      minute.untold += things;
      return null;
    }
    minute.events++;
    const { untold } = minute;
    minute.untold = 0;
    return untold;
  }

  async #write(node: NodeState, drift: Observed['drift'], untold: number): Promise<void> {
    const { store, bus, clock, log } = this.#parts;
    const draft = makeEvent(clock, {
      accountId: node.accountId,
      kind: 'sdwan.drift.mended',
      severity: 'warning',
      instance: { id: node.instanceId, hostname: node.hostname },
      payload: {
        node_instance_id: node.instanceId,
        hostname: node.hostname,
        mended: drift,
        mended_count: drift.length + untold,
      },
    });
    try {
      publishEvents(bus, await inAccount(store, node.accountId, (trx) => writeEvents(trx, [draft])));
    } catch (error) {
      log.warn({ err: error, instanceId: node.instanceId }, 'an event of mended drift is lost');
    }
  }
}
