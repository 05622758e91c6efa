// All that a network routes to beside its peers, as rows of one list: prefixes behind peers, which have rows of their own,
// and virtual IPs, which follow from theirs and their holders.
import { localPreferenceDefault } from '@powernode/core/limits/routing';
import { type SelectQueryBuilder, sql } from 'kysely';
import type { Database } from '../../../store/tables.ts';
import type { ActionContext } from '../../context.ts';
import type { SubnetRow } from './model.ts';

/**
 * The id of one that has no row is made of the virtual IP's, so that it sorts with it, and of the holder and the prefix: it
 * is the same as long as they are.
 */
const derived = sql<SubnetRow>`(
  select s.id, s.account_id, s.created_at, s.updated_at, s.revision, s.network_id, s.peer_id, s.prefix, s.local_prefix,
    s.source, s.description, s.preference, s.source_nat, s.withdrawn_at
  from subnet_advertisements s
  union all
  select
    (substr(v.id::text, 1, 13) || '-7' || substr(d.digest, 1, 3) || '-8' || substr(d.digest, 4, 3) || '-'
      || substr(d.digest, 7, 12))::uuid,
    v.account_id, v.created_at, v.updated_at, v.revision, v.network_id, p.id, x.prefix, x.prefix, 'virtual_ip', v.name,
    ${localPreferenceDefault}::integer, false, h.since
  from virtual_ips v
  cross join lateral (
    select v.primary_holder_peer_id as peer_id where v.anycast
    union select value::uuid from jsonb_array_elements_text(v.failover_holder_peer_ids) where v.anycast
    union select v.current_holder_peer_id where not v.anycast
  ) holder
  join peers p on p.id = holder.peer_id
  cross join lateral (
    select v.address || '/128' as prefix union all select v.ipv4_address || '/32' where v.ipv4_address is not null
  ) x
  cross join lateral (select md5(v.id::text || p.id::text || x.prefix) as digest) d
  left join virtual_ip_health h
    on h.virtual_ip_id = v.id and h.peer_id = p.id and h.health = 'failing'
    and v.health_check is not null and v.anycast
)`.as('subnet_advertisements');

/** To be narrowed as the table of that name is. */
export function advertisements(
  context: Pick<ActionContext, 'trx'>,
): SelectQueryBuilder<Database, 'subnet_advertisements', SubnetRow> {
  const query: unknown = context.trx.selectFrom(derived).selectAll('subnet_advertisements');
  return query as SelectQueryBuilder<Database, 'subnet_advertisements', SubnetRow>;
}
