// What metrics show of virtual IPs, rules and sessions of BGP: read from the rows, a few seconds old at most. Without a database the last
// figures are shown again: what is in memory is worth a scrape by itself.
import { metricRowsMs, metricSeriesMax } from '@powernode/core/limits/requests';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Store } from '../store/open-store.ts';
import { inPlatform } from '../store/tenancy.ts';
import type { RuleFigures, StoredFigures } from './overlay-metrics.ts';

export interface StoredParts {
  readonly store: Pick<Store, 'db'>;
  readonly log: Logger;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
}

export function storedFigures({ store, log, now }: StoredParts): () => Promise<StoredFigures> {
  let last: StoredFigures = nothing;
  let readMs = Number.NEGATIVE_INFINITY;
  return async () => {
    if (now() - readMs < metricRowsMs) return last;
    readMs = now();
    try {
      last = await read(store);
    } catch (error) {
      log.warn({ err: error }, 'metrics show what the rows were before');
    }
    return last;
  };
}

const nothing: StoredFigures = {
  ...{ virtualIps: [], virtualIpsCount: 0, rules: [], rulesCount: 0, refusedPeers: [] },
};

function read(store: Pick<Store, 'db'>): Promise<StoredFigures> {
  return inPlatform(store, async (trx) => {
    const virtualIps = await trx
      .selectFrom('virtual_ips')
      .select(['id', 'network_id', 'name', 'state', 'epoch'])
      .orderBy('id')
      .limit(metricSeriesMax)
      .execute();
    const { count: virtualIpsCount } = await trx
      .selectFrom('virtual_ips')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    const { rows } = await sql<RuleFigures & { readonly count: number }>`
      select r.id as rule_id, r.network_id, coalesce(r.name, '') as name,
             sum(c.packets)::float8 as packets, sum(c.bytes)::float8 as bytes,
             count(*) over ()::int as count
      from rule_counters c join firewall_rules r on r.id = c.rule_id
      group by r.id
      order by packets desc, r.id
      limit ${metricSeriesMax}
    `.execute(trx);
    const refusedPeers = await trx
      .selectFrom('bgp_sessions')
      .select((eb) => ['network_id', eb.fn.count<number>('neighbor_id').distinct().as('count')])
      .where('refused_since', 'is not', null)
      .where('refused_until', 'is', null)
      .groupBy('network_id')
      .limit(metricSeriesMax)
      .execute();
    return { virtualIps, virtualIpsCount, rules: rows, rulesCount: rows[0]?.count ?? 0, refusedPeers };
  });
}
