// What the firewalls of nodes count for each rule, on its way to its rows: the newest report of each node, in batches.

import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { AccountId } from '@powernode/core/ids';
import { reportRowsMax } from '@powernode/core/limits/node-stream';
import { ruleCounterFlushMs, ruleCountersWaitingMax } from '@powernode/core/limits/overlay';
import { countMax } from '@powernode/core/limits/texts';
import type { Observed } from '@powernode/core/wire/node-stream';
import { sql, type Transaction } from 'kysely';
import type { Logger } from 'pino';
import type { Store } from '../../store/open-store.ts';
import type { Database } from '../../store/tables.ts';
import { inAccount } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { NodeBatch } from './node-batch.ts';

export interface RuleCounterParts {
  readonly store: Pick<Store, 'db'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly fleet: Pick<FleetIndex, 'networksOf'>;
}

interface Count {
  readonly packets: number;
  readonly bytes: number;
}

export class RuleCounters {
  readonly #parts: RuleCounterParts;
  readonly #batch: NodeBatch;
  readonly #waiting = new Map<NodeState, Map<string, Count>>();
  #size = 0;

  constructor(parts: RuleCounterParts) {
    this.#parts = parts;
    this.#batch = new NodeBatch({
      clock: parts.clock,
      log: parts.log,
      what: 'what firewall rules have counted',
      delayMs: ruleCounterFlushMs,
      write: (accountId, nodes) => this.#write(accountId, nodes),
    });
  }

  observed(node: NodeState, rules: Observed['rules']): void {
    if (rules === undefined || rules.length === 0) return;
    // Of other rules nothing is kept: a machine could make up as many as it likes.
    const networks = this.#parts.fleet.networksOf(node.instanceId);
    for (const { rule_id: ruleId, packets, bytes } of rules) {
      const isKnown = networks.some((one) => one.item(ruleId)?.type === 'firewall_rule');
      if (isKnown) this.#put(node, ruleId, { packets, bytes });
    }
    if (this.#waiting.has(node)) this.#batch.add(node);
  }

  flush(): Promise<void> {
    return this.#batch.flush();
  }

  #put(node: NodeState, ruleId: string, count: Count): void {
    const counts = this.#waiting.get(node) ?? new Map<string, Count>();
    if (!counts.has(ruleId)) {
      if (this.#size >= ruleCountersWaitingMax) return;
      this.#size++;
    }
    this.#waiting.set(node, counts.set(ruleId, count));
  }

  async #write(accountId: AccountId, nodes: readonly NodeState[]): Promise<void> {
    const drained = new Map<NodeState, Map<string, Count>>();
    for (const node of nodes) {
      const counts = this.#waiting.get(node);
      if (counts === undefined) continue;
      drained.set(node, counts);
      this.#waiting.delete(node);
      this.#size -= counts.size;
    }
    try {
      await inAccount(this.#parts.store, accountId, async (trx) => {
        const rows = rowsOf(drained);
        for (let at = 0; at < rows.length; at += reportRowsMax) {
          await writeCounts(trx, {
            accountId,
            rows: rows.slice(at, at + reportRowsMax),
            clock: this.#parts.clock,
          });
        }
      });
    } catch (error) {
      this.#putBack(drained);
      throw error;
    }
  }

  /** What came meanwhile is newer. */
  #putBack(drained: ReadonlyMap<NodeState, ReadonlyMap<string, Count>>): void {
    for (const [node, counts] of drained) {
      const later = this.#waiting.get(node);
      for (const [ruleId, count] of counts) if (!later?.has(ruleId)) this.#put(node, ruleId, count);
    }
  }
}

interface CountRow extends Count {
  readonly instance_id: string;
  readonly rule_id: string;
}

function rowsOf(drained: ReadonlyMap<NodeState, ReadonlyMap<string, Count>>): CountRow[] {
  return [...drained].flatMap(([node, counts]) =>
    Array.from(counts, ([ruleId, count]) => ({ instance_id: node.instanceId, rule_id: ruleId, ...count })),
  );
}

/**
 * A node counts from 0 again after its table was made anew: what it had counted until then is kept as the base. Rules
 * that were deleted meanwhile, and those of other accounts, have no row. A machine that counts from 0 again and again
 * ends at what a number can hold.
 */
async function writeCounts(
  trx: Transaction<Database>,
  batch: {
    readonly accountId: AccountId;
    readonly rows: readonly CountRow[];
    readonly clock: Pick<Clock, 'now'>;
  },
): Promise<void> {
  await sql`
    insert into rule_counters as o (account_id, rule_id, instance_id, packets, bytes, observed_at)
    select r.account_id, r.id, i.id, v.packets, v.bytes, ${new Date(batch.clock.now())}
    from jsonb_to_recordset(${JSON.stringify(batch.rows)}::jsonb) as v(
      instance_id uuid, rule_id uuid, packets bigint, bytes bigint)
    join firewall_rules r on r.id = v.rule_id and r.account_id = ${batch.accountId}
    join instances i on i.id = v.instance_id and i.account_id = ${batch.accountId}
    order by r.id, i.id
    on conflict (rule_id, instance_id) do update
    set base_packets = case when excluded.packets < o.packets - o.base_packets then o.packets else o.base_packets end,
        base_bytes = case when excluded.packets < o.packets - o.base_packets then o.bytes else o.base_bytes end,
        packets = least(excluded.packets
          + case when excluded.packets < o.packets - o.base_packets then o.packets else o.base_packets end, ${countMax}),
        bytes = least(excluded.bytes
          + case when excluded.packets < o.packets - o.base_packets then o.bytes else o.base_bytes end, ${countMax}),
        observed_at = excluded.observed_at
  `.execute(trx);
}
