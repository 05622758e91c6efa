// Problems that nodes report: kept as rows, with an event when a problem begins and one when it ends. A node that
// reports something else all the time causes no more events than others: its reports wait, and only what still holds
// after that is written.

import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { AccountId } from '@powernode/core/ids';
import { nodeEventsPerMinuteMax, nodeProblemsMax, reportFlushMs } from '@powernode/core/limits/node-stream';
import { type NodeProblem, nodeProblemTable, problemKey } from '@powernode/core/wire/node-problems';
import { unsupportedDetail } from '@powernode/core/wire/unsupported';
import { sql, type Transaction } from 'kysely';
import type { Logger } from 'pino';
import { type EventBus, publishEvents } from '../../events/event-bus.ts';
import { type EventDraft, writeEvents } from '../../events/write-events.ts';
import type { Store } from '../../store/open-store.ts';
import type { Database } from '../../store/tables.ts';
import { inAccount } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';
import { makeEvent } from '../../trust/node-events.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { NodeBatch } from './node-batch.ts';

export interface ProblemParts {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly fleet: Pick<FleetIndex, 'networksOf'>;
}

interface Minute {
  /** By a clock that nobody sets. */
  readonly since: number;
  events: number;
}

export class ProblemReports {
  readonly #parts: ProblemParts;
  readonly #batch: NodeBatch;
  readonly #minutes = new WeakMap<NodeState, Minute>();
  /** Nodes that have caused enough events for now. */
  readonly #waiting = new Set<NodeState>();

  constructor(parts: ProblemParts) {
    this.#parts = parts;
    const { clock, log } = parts;
    this.#batch = new NodeBatch({
      clock,
      log,
      what: 'problems of instances',
      delayMs: reportFlushMs,
      write: (accountId, nodes) => this.#write(accountId, nodes),
    });
  }

  /** Takes the node's whole list. */
  said(node: NodeState, problems: readonly NodeProblem[]): void {
    if (node.ended) return;
    node.problems = this.#withWithheld(node, this.#ofItsOwn(node, problems));
    this.#schedule(node);
  }

  /** To be called periodically: the withheld entries of a node change without a report of the node. */
  lookWithheld(node: NodeState): void {
    if (node.ended || node.knowsAll) return;
    const known = node.problems.find(isUnsupported)?.detail ?? null;
    if (known === unsupportedDetail(node.withheldKeys)) return;
    node.problems = this.#withWithheld(node, node.problems);
    this.#schedule(node);
  }

  /** Entries that are not sent to an agent are not applied, as are those that it was sent and does not know. */
  #withWithheld(node: NodeState, problems: readonly NodeProblem[]): readonly NodeProblem[] {
    if (node.knowsAll) return problems;
    const others = problems.filter((one) => !isUnsupported(one));
    const detail = unsupportedDetail(node.withheldKeys);
    if (detail === null) return others;
    const since = node.problems.find(isUnsupported)?.since ?? new Date(this.#parts.clock.now()).toISOString();
    const withheld: NodeProblem = { subsystem: 'agent', code: 'unsupported', detail, since };
    return [withheld, ...others].slice(0, nodeProblemsMax);
  }

  #schedule(node: NodeState): void {
    const { clock } = this.#parts;
    const minute = this.#minuteOf(node);
    if (minute.events < nodeEventsPerMinuteMax) return this.#batch.add(node);
    if (this.#waiting.has(node)) return;
    this.#waiting.add(node);
    clock.after(minute.since + 60_000 - clock.steady(), () => {
      this.#waiting.delete(node);
      // Without a stream it may be with another process by now, which knows better.
      if (node.stream !== null) this.#batch.add(node);
    });
  }

  flush(): Promise<void> {
    return this.#batch.flush();
  }

  /** Of a machine's own networks and their peers; what names others is not accepted. Each problem once. */
  #ofItsOwn(node: NodeState, problems: readonly NodeProblem[]): readonly NodeProblem[] {
    const { fleet } = this.#parts;
    const own = new Map(fleet.networksOf(node.instanceId).map((one) => [one.network.id, one]));
    const accepted = new Map<string, NodeProblem>();
    for (const problem of problems) {
      const { code, subsystem, network_id, peer_id } = problem;
      if (nodeProblemTable[code].subsystem !== subsystem) continue;
      const network = network_id === undefined ? undefined : own.get(network_id);
      if (network_id !== undefined && network === undefined) continue;
      if (peer_id !== undefined && network?.peer(peer_id) === undefined) continue;
      if (accepted.size < nodeProblemsMax) accepted.set(problemKey(problem), problem);
    }
    return [...accepted.values()];
  }

  #minuteOf(node: NodeState): Minute {
    const now = this.#parts.clock.steady();
    const known = this.#minutes.get(node);
    if (known !== undefined && now - known.since < 60_000) return known;
    const minute = { since: now, events: 0 };
    this.#minutes.set(node, minute);
    return minute;
  }

  async #write(accountId: AccountId, nodes: readonly NodeState[]): Promise<void> {
    const { store, bus } = this.#parts;
    const said = nodes.map((node) => ({ node, problems: node.problems }));
    const { events, counts } = await inAccount(store, accountId, async (trx) => {
      const before = await lockedProblems(trx, { accountId, nodes });
      const drafts = said.map((one) => this.#drafts(one, before.get(one.node.instanceId)));
      await storeProblems(
        trx,
        accountId,
        said.filter(({ node, problems }) => differs(before.get(node.instanceId), problems)),
      );
      return { events: await writeEvents(trx, drafts.flat()), counts: drafts.map((list) => list.length) };
    });
    for (const [i, { node }] of said.entries()) this.#minuteOf(node).events += counts[i] ?? 0;
    publishEvents(bus, events);
  }

  /** `before` is undefined where the machine does not belong to the fleet any more. */
  #drafts(
    { node, problems }: { readonly node: NodeState; readonly problems: readonly NodeProblem[] },
    before: readonly NodeProblem[] | undefined,
  ): EventDraft[] {
    if (before === undefined) return [];
    const [had, has] = [byKey(before), byKey(problems)];
    const began = problems.filter((one) => !had.has(problemKey(one)));
    const ended = before.filter((one) => !has.has(problemKey(one)));
    const news = [
      ...began.map((problem) => ({ kind: 'system.instance.problem', problem, began: true })),
      ...ended.map((problem) => ({ kind: 'system.instance.problem_ended', problem, began: false })),
      // What an operator did, and is not so on this machine, has kinds of its own.
      ...began
        .filter(isRolledBack)
        .map((problem) => ({ kind: 'system.instance.rolled_back', problem, began: true })),
      ...ended
        .filter(isRolledBack)
        .map((problem) => ({ kind: 'system.instance.rolled_back_ended', problem, began: false })),
    ];
    // What is over the limit is named by number in the last one; all of it is in the row.
    const reported = news.slice(0, nodeEventsPerMinuteMax);
    return reported.map(({ kind, problem, began }, i) =>
      makeEvent(this.#parts.clock, {
        accountId: node.accountId,
        kind,
        severity: began ? (nodeProblemTable[problem.code]?.severity ?? 'warning') : 'info',
        instance: { id: node.instanceId, hostname: node.hostname },
        payload: {
          node_instance_id: node.instanceId,
          hostname: node.hostname,
          problem,
          unreported_count: i === reported.length - 1 ? news.length - reported.length : 0,
        },
      }),
    );
  }
}

function isUnsupported({ code }: NodeProblem): boolean {
  return code === 'unsupported';
}

function isRolledBack({ code }: NodeProblem): boolean {
  return code === 'change_rolled_back';
}

function byKey(problems: readonly NodeProblem[]): ReadonlyMap<string, NodeProblem> {
  return new Map(problems.map((problem) => [problemKey(problem), problem]));
}

function differs(before: readonly NodeProblem[] | undefined, now: readonly NodeProblem[]): boolean {
  if (before === undefined || before.length !== now.length) return before !== undefined;
  const had = byKey(before);
  return now.some((one) => {
    const same = had.get(problemKey(one));
    return same === undefined || same.detail !== one.detail || same.since !== one.since;
  });
}

/** What was written of these machines before; nobody else writes it until the transaction has ended. */
async function lockedProblems(
  trx: Transaction<Database>,
  { accountId, nodes }: { readonly accountId: AccountId; readonly nodes: readonly NodeState[] },
): Promise<ReadonlyMap<string, readonly NodeProblem[]>> {
  const rows = await trx
    .selectFrom('instances')
    .select(['id', 'problems'])
    .where('account_id', '=', accountId)
    .where(
      'id',
      'in',
      nodes.map((node) => node.instanceId),
    )
    .where('terminated_at', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute();
  return new Map(rows.map((row) => [row.id, row.problems]));
}

async function storeProblems(
  trx: Transaction<Database>,
  accountId: AccountId,
  said: readonly { readonly node: NodeState; readonly problems: readonly NodeProblem[] }[],
): Promise<void> {
  if (said.length === 0) return;
  const values = said.map(({ node, problems }) => ({ id: node.instanceId, problems }));
  await sql`
    update instances i
    set problems = v.problems
    from jsonb_to_recordset(${JSON.stringify(values)}::jsonb) as v(id uuid, problems jsonb)
    where i.id = v.id and i.account_id = ${accountId}
  `.execute(trx);
}
