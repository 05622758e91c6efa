// What nodes say again and again of objects of their documents (sessions, checks): of each object the newest word is kept
// until it is written, in batches, with the events that follow from it. A node may cause only so many events in a minute.
import type { AccountId } from '@powernode/core/ids';
import { reportFlushMs } from '@powernode/core/limits/node-stream';
import type { Transaction } from 'kysely';
import type { Logger } from 'pino';
import { type EventBus, publishEvents } from '../../events/event-bus.ts';
import { type EventDraft, writeEvents } from '../../events/write-events.ts';
import type { Store } from '../../store/open-store.ts';
import type { Database } from '../../store/tables.ts';
import { inAccount } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';
import { makeEvent } from '../../trust/node-events.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { EventBudget } from './event-budget.ts';
import { NodeBatch } from './node-batch.ts';

export interface ReportTools {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An event that follows from a report, without what every event of a node has. */
export interface ReportedTurn<Report> extends Pick<EventDraft, 'kind' | 'payload'> {
  readonly report: Report;
  readonly severity: 'info' | 'warning';
}

export interface ObjectReportsParts<Report> extends ReportTools {
  /** In words, for the log. */
  readonly what: string;
  readonly eventsPerMinuteMax: number;
  /** Which object of its node a report is about. */
  readonly keyOf: (report: Report) => string;
  /** Writes reports of several nodes of an account, and answers what turned, in the order of its events. */
  readonly write: (
    trx: Transaction<Database>,
    accountId: AccountId,
    reports: readonly Report[],
  ) => Promise<readonly ReportedTurn<Report>[]>;
}

interface Taken<Report> {
  readonly node: NodeState;
  readonly reports: readonly Report[];
}

export class ObjectReports<Report> {
  readonly #parts: ObjectReportsParts<Report>;
  readonly #batch: NodeBatch;
  readonly #budget: EventBudget;
  /** By object, what is not written yet. */
  readonly #waiting = new WeakMap<NodeState, Map<string, Report>>();

  constructor(parts: ObjectReportsParts<Report>) {
    this.#parts = parts;
    const { clock, log, what } = parts;
    this.#budget = new EventBudget(clock, parts.eventsPerMinuteMax);
    this.#batch = new NodeBatch({
      ...{ clock, log, what, delayMs: reportFlushMs },
      write: (accountId, nodes) => this.#write(accountId, nodes),
    });
  }

  take(node: NodeState, reports: readonly Report[]): void {
    if (reports.length === 0) return;
    const waiting = this.#waiting.get(node) ?? new Map<string, Report>();
    for (const report of reports) waiting.set(this.#parts.keyOf(report), report);
    this.#waiting.set(node, waiting);
    this.#batch.add(node);
  }

  flush(): Promise<void> {
    return this.#batch.flush();
  }

  async #write(accountId: AccountId, nodes: readonly NodeState[]): Promise<void> {
    const { store, bus, keyOf } = this.#parts;
    const taken = nodes.map((node) => ({ node, reports: [...(this.#waiting.get(node)?.values() ?? [])] }));
    const events = await inAccount(store, accountId, (trx) => this.#writeIn(trx, accountId, taken));
    for (const { node, reports } of taken) {
      const waiting = this.#waiting.get(node);
      // What came meanwhile is written next.
      for (const report of reports) {
        if (waiting?.get(keyOf(report)) === report) waiting.delete(keyOf(report));
      }
    }
    publishEvents(bus, events);
  }

  async #writeIn(trx: Transaction<Database>, accountId: AccountId, taken: readonly Taken<Report>[]) {
    const all = taken.flatMap(({ reports }) => reports);
    const turns = await this.#parts.write(trx, accountId, all);
    const nodeOf = new Map(taken.flatMap(({ node, reports }) => reports.map((report) => [report, node])));
    const drafts = turns.flatMap((turn) => {
      const node = nodeOf.get(turn.report);
      return node === undefined ? [] : (this.#eventOf(node, turn) ?? []);
    });
    return writeEvents(trx, drafts);
  }

  /** null: the node has caused enough events for now. */
  #eventOf(node: NodeState, { kind, severity, payload }: ReportedTurn<Report>): EventDraft | null {
    const allowed = this.#budget.take(node);
    if (allowed === null) return null;
    const { unreported } = allowed;
    return makeEvent(this.#parts.clock, {
      ...{ accountId: node.accountId, kind, severity },
      instance: { id: node.instanceId, hostname: node.hostname },
      payload: { ...payload, ...(unreported === 0 ? {} : { unreported_count: unreported }) },
    });
  }
}
