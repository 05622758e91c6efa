// Which handshakes count for a peer, in SQL. Two machines see each tunnel, and either may lie: a handshake counts when
// the peer's own machine has said so and the other end does not deny it. What only others say of it extends that while
// its own machine is not heard, and never begins it. Only the newest few claims are compared with the other end's word:
// a hub has thousands of tunnels, and one handshake makes it connected.
import { heartbeatFlushMs } from '@powernode/core/limits/node-stream';
import { claimsComparedMax, namedInErrorMax } from '@powernode/core/limits/overlay';
import { type RawBuilder, sql } from 'kysely';

/** Both ends write within this of a handshake, and of being heard. */
const settled = sql`interval '${sql.raw(String(2 * heartbeatFlushMs))} milliseconds'`;

/** The newest handshakes by the word of the machine of a row of `peers`, on the interfaces of its network. */
const ownClaims = sql`(
  select o.public_key, o.last_handshake_at as at
  from tunnel_observations o, networks n
  where n.id = peers.network_id and o.instance_id = peers.instance_id and o.last_handshake_at is not null
    and (o.interface = 'wg-' || n.handle or o.interface like 'wg-' || n.handle || '-%')
  order by o.last_handshake_at desc
  limit ${claimsComparedMax}
)`;

/** The machines of the members of the peer's network that have a key. */
const machineOfKey = sql`(
  select i.id, i.hostname, i.last_heartbeat_at from peers q join instances i on i.id = q.instance_id
  where q.network_id = peers.network_id and (q.public_key = claim.public_key or q.direct_key = claim.public_key)
)`;

/** Those claims with whether the other end, heard since then, says that it never shook hands with the peer. */
const checkedClaims = sql`(
  select claim.at, other.hostname as other_hostname, coalesce((
    select bool_and(o.last_handshake_at is null) and other.last_heartbeat_at > claim.at + ${settled}
    from tunnel_observations o
    where o.instance_id = other.id and o.public_key in (peers.public_key, peers.direct_key)
  ), false) as is_denied
  from ${ownClaims} claim left join lateral ${machineOfKey} other on true
)`;

/** The newest handshakes of others with a row of `peers`, by their word. */
const othersClaims = sql`(
  select o.instance_id, o.last_handshake_at as at
  from tunnel_observations o
  where o.account_id = peers.account_id and o.public_key = peers.public_key and o.last_handshake_at is not null
  order by o.last_handshake_at desc
  limit ${claimsComparedMax}
)`;

/** When the machine of a row of `peers` was heard last. */
const heardAt = sql`(select i.last_heartbeat_at from instances i where i.id = peers.instance_id)`;

/** The newest handshake that counts for a row of `peers`; null: none does. */
export const countedHandshake: RawBuilder<Date | null> = sql`(
  select case when own.at is null then null
    else greatest(own.at, (select max(c.at) from ${othersClaims} c where c.at > ${heardAt} + ${settled})) end
  from (select max(c.at) as at from ${checkedClaims} c where not c.is_denied) own
)`;

/** One end says that the two have shaken hands, the other that they never have. */
export interface Contradiction {
  readonly other_hostname: string;
  /** The peer's own machine is the one that says never. */
  readonly denies: boolean;
  /** RFC 3339: the handshake that one of them claims. */
  readonly at: string;
}

/** The newest contradiction about a row of `peers`; null: there is none. */
export const contradiction: RawBuilder<Contradiction | null> = sql`(
  select jsonb_build_object('other_hostname', found.other_hostname, 'denies', found.denies,
    'at', to_char(found.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
  from (
    select c.at, c.other_hostname, false as denies from ${checkedClaims} c where c.is_denied
    union all
    select c.at, i.hostname, true
    from ${othersClaims} c
    join peers q on q.instance_id = c.instance_id and q.network_id = peers.network_id
    join instances i on i.id = q.instance_id
    where ${heardAt} > c.at + ${settled} and (
      select bool_and(o.last_handshake_at is null) from tunnel_observations o
      where o.instance_id = peers.instance_id and o.public_key in (q.public_key, q.direct_key)
    )
  ) found
  order by found.at desc
  limit 1
)`;

/**
 * Members that call a row of `peers` where they are told, without an answer: by hostname. Empty when anybody has got
 * through there, when its machine is not heard (there is another reason then), and until it has had time for a try.
 */
export const callersUnanswered: RawBuilder<string[]> = sql`(
  select coalesce(jsonb_agg(distinct i.hostname), '[]')
  from (
    select o.instance_id from tunnel_observations o
    where o.account_id = peers.account_id and o.public_key = peers.public_key
      and o.last_handshake_at is null
    limit ${namedInErrorMax}
  ) unanswered
  join instances i on i.id = unanswered.instance_id and i.last_heartbeat_at > now() - ${settled}
  where peers.endpoint is not null and peers.updated_at < now() - ${settled}
    and ${heardAt} > now() - ${settled}
    and not exists (
      select from tunnel_observations o
      where o.account_id = peers.account_id and o.public_key = peers.public_key
        and o.last_handshake_at is not null
        and (o.endpoint = peers.endpoint or peers.fallback_endpoints @> to_jsonb(o.endpoint)))
)`;
