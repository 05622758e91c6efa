// What is kept, and for how long: one entry for each table of the database. docs/reference/retention.md is written from
// this table, and a test fails when the database has a table that is not in it.

import * as limits from '@powernode/core/limits/coordination';
import { changesKeptPerAccount } from '@powernode/core/limits/node-stream';
import { addressQuarantineMs, transitionsKeptPerVirtualIp } from '@powernode/core/limits/overlay';
import { idempotencyKeyMs } from '@powernode/core/limits/requests';
import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../../store/tables.ts';

/** What an operator sets. */
export interface RetentionSettings {
  /** Days that events stay, and the approvals that they tell of. */
  readonly eventsDays: number;
  /** Days that the numbered changes of an account stay. */
  readonly changesDays: number;
}

/** How old a row has to be before it is deleted: an age of its own, or one that an operator sets. */
export type Age = { readonly ms: number } | { readonly setting: keyof RetentionSettings };

interface RuleText {
  /** Which rows are deleted. */
  readonly deletes: string;
  readonly age: Age;
  /** Why that age. */
  readonly because: string;
}

/** Rows that are over, each by itself: `due` is asked of the row `t`. */
export interface RowRule extends RuleText {
  readonly kind: 'rows';
  readonly due: (before: Date) => RawBuilder<unknown>;
}

/** Rows that readers follow in their order, from the last one that they have: the oldest go first. */
export interface LogRule extends RuleText {
  readonly kind: 'log';
  /** Newest rows of each account that stay, however old they are. */
  readonly keptPerAccount: number;
}

export interface Kept {
  readonly kind: 'kept';
  readonly because: string;
}

export type TableName = keyof Database;
export type RetentionRule = RowRule | LogRule | Kept;

const wanted = 'What operators want; an action deletes it.';

export const retentionRules: Readonly<Record<TableName, RetentionRule>> = {
  platform_settings: { kind: 'kept', because: 'A few named values.' },
  accounts: { kind: 'kept', because: 'Nothing ends an account; there are few.' },
  operators: {
    kind: 'kept',
    because:
      'Events, approvals and tokens go on naming an operator that was disabled, and its tokens end with it.',
  },
  api_tokens: {
    kind: 'rows',
    deletes:
      'Tokens that were revoked or have expired, unless a token or an access grant that was created with one still exists',
    age: { ms: limits.endedCredentialsKeptMs },
    because:
      'Lists show what ended; an incident is looked into within a quarter, and the events stay longer.',
    due: (before) => sql`
      least(t.revoked_at, t.expires_at) < ${before}
      and not exists (select 1 from api_tokens made where made.created_with = t.id)
      and not exists (select 1 from join_tokens made where made.created_with = t.id)
      and not exists (select 1 from access_grants made where made.created_with = t.id)`,
  },
  join_tokens: {
    kind: 'rows',
    deletes: 'Join tokens that were used or revoked, or have expired',
    age: { ms: limits.endedCredentialsKeptMs },
    because: 'As API tokens.',
    due: (before) => sql`least(t.used_at, t.revoked_at, t.expires_at) < ${before}`,
  },
  access_grants: {
    kind: 'rows',
    deletes: 'Access grants that were used or revoked, or have expired',
    age: { ms: limits.endedCredentialsKeptMs },
    because: 'As API tokens.',
    due: (before) => sql`least(t.used_at, t.revoked_at, t.expires_at) < ${before}`,
  },
  instances: {
    kind: 'rows',
    deletes: 'Terminated instances, unless counters of a rule that is still there include theirs',
    age: { ms: limits.endedObjectsKeptMs },
    because:
      'As long as events name them by default. A certificate of an instance that does not exist counts no more than one of a terminated instance.',
    due: (before) => sql`
      t.terminated_at < ${before}
      and not exists (select 1 from peers p where p.instance_id = t.id)
      and not exists (select 1 from node_keys k where k.instance_id = t.id)
      and not exists (select 1 from rule_counters c where c.instance_id = t.id)`,
  },
  node_keys: {
    kind: 'rows',
    deletes:
      'Public keys that were given to a peer which has another one, or is gone, and whose instance was online since',
    age: { ms: limits.retiredKeysKeptMs },
    because:
      'A key is never given twice: its row stays until the instance has learned that it is retired, and has removed its private half.',
    due: (before) => sql`
      t.taken_at < ${before}
      and not exists (select 1 from peers p where t.public_key in (p.public_key, p.direct_key))
      and exists (
        select 1 from instances i
        where i.id = t.instance_id
          and i.last_heartbeat_at > t.taken_at + ${limits.retiredKeysKeptMs} * interval '1 millisecond'
      )`,
  },
  networks: { kind: 'kept', because: wanted },
  peers: { kind: 'kept', because: wanted },
  former_peers: {
    kind: 'rows',
    deletes: 'Peers that left their network',
    age: { ms: addressQuarantineMs },
    because:
      'An instance that returns within the quarantine of its addresses is the same peer; after it, it is not.',
    due: (before) => sql`t.detached_at < ${before}`,
  },
  address_quarantine: {
    kind: 'rows',
    deletes: 'Addresses that were released',
    age: { ms: addressQuarantineMs },
    because: 'An address is given to no other peer within so long (contract §4).',
    due: (before) => sql`t.released_at < ${before}`,
  },
  prefix_quarantine: {
    kind: 'rows',
    deletes: 'Prefixes of deleted networks',
    age: { ms: addressQuarantineMs },
    because: 'As addresses.',
    due: (before) => sql`t.released_at < ${before}`,
  },
  tunnel_observations: {
    kind: 'kept',
    because:
      'The newest row of each tunnel: replaced by each report, and deleted with its instance, its network, and when a returning instance does not report it.',
  },
  changes: {
    kind: 'log',
    deletes: 'Numbered changes of an account',
    age: { setting: 'changesDays' },
    because: 'Questions about the revision of an instance are asked within a quarter; events last longer.',
    keptPerAccount: changesKeptPerAccount,
  },
  change_nodes: { kind: 'kept', because: 'Whom each change reached; deleted with the change.' },
  events: {
    kind: 'log',
    deletes: 'Events',
    age: { setting: 'eventsDays' },
    because:
      'A yearly audit finds the whole year before it. There is no limit by number: otherwise an actor could push out the events of its own acts by creating many.',
    keptPerAccount: limits.eventsKeptPerAccountMin,
  },
  policies: { kind: 'kept', because: 'One of each category at most.' },
  approvals: {
    kind: 'rows',
    deletes: 'Approvals that were decided, or lapsed, and have no secret that waits',
    age: { setting: 'eventsDays' },
    because: 'The long form of the events that name them.',
    due: (before) => sql`
      t.status <> 'pending' and coalesce(t.decided_at, t.updated_at) < ${before}
      and t.secret_state is distinct from 'waiting'`,
  },
  idempotency_keys: {
    kind: 'rows',
    deletes: 'Answers to calls with an Idempotency-Key, with the sealed secrets in them',
    age: { ms: idempotencyKeyMs },
    because:
      'A repeated call is recognised for a day; what was shown once is not kept longer than that needs.',
    due: (before) => sql`t.created_at < ${before}`,
  },
  operations: {
    kind: 'rows',
    deletes: 'Operations that are over',
    age: { ms: limits.endedOperationsKeptMs },
    because: 'What came of one is asked within a quarter; the events of its steps stay longer.',
    due: (before) => sql`t.ended_at < ${before}`,
  },
  firewall_rules: { kind: 'kept', because: wanted },
  rule_counters: { kind: 'kept', because: 'One row for each rule and instance, deleted with either.' },
  virtual_ips: { kind: 'kept', because: wanted },
  virtual_ip_transitions: {
    kind: 'kept',
    because: `The newest ${transitionsKeptPerVirtualIp} of each virtual IP: each new one deletes those before them, and all go with it.`,
  },
  port_mappings: { kind: 'kept', because: wanted },
  route_policies: { kind: 'kept', because: wanted },
  bgp_sessions: {
    kind: 'kept',
    because: 'The newest row of each session and end: replaced by each report, and deleted with either peer.',
  },
  bgp_session_resets: {
    kind: 'rows',
    deletes: 'Resets of sessions of which a peer is gone, and cannot come back as the same peer',
    age: { ms: addressQuarantineMs },
    because:
      'The instance of a peer that is there has the last reset in its document: it is the same document as long as the row is.',
    due: (before) => sql`
      t.requested_at < ${before}
      and exists (
        select 1 from (values (t.peer_id), (t.neighbor_id)) as ended (id)
        where not exists (select 1 from peers p where p.id = ended.id)
          and not exists (select 1 from former_peers f where f.peer_id = ended.id)
      )`,
  },
  findings: {
    kind: 'rows',
    deletes: 'Findings that are over',
    age: { ms: limits.endedFindingsKeptMs },
    because: 'What was wrong is asked within a quarter; the events of it stay longer.',
    due: (before) => sql`t.recovered_at < ${before}`,
  },
  virtual_ip_health: {
    kind: 'kept',
    because:
      'The newest row of each virtual IP and holder: replaced by each report, and deleted with either of them.',
  },
  subnet_advertisements: {
    kind: 'rows',
    deletes: 'Prefixes that are withdrawn',
    age: { ms: limits.endedObjectsKeptMs },
    because: 'As long as instances.',
    due: (before) => sql`t.withdrawn_at < ${before}`,
  },
  user_devices: {
    kind: 'rows',
    deletes: 'Devices that were revoked, unless a firewall rule still names one',
    age: { ms: limits.endedObjectsKeptMs },
    because: 'As long as instances.',
    due: (before) => sql`
      t.revoked_at < ${before}
      and not exists (
        select 1 from firewall_rules r
        where r.network_id = t.network_id
          and ((r.selector ->> 'kind' = 'user_device' and r.selector ->> 'id' = t.id::text)
            or (r.destination ->> 'kind' = 'user_device' and r.destination ->> 'id' = t.id::text))
      )`,
  },
};

/** Rows from before this moment are old enough. */
export function cutoffOf(age: Age, of: { readonly settings: RetentionSettings; readonly now: Date }): Date {
  const ms = 'ms' in age ? age.ms : of.settings[age.setting] * 24 * 3600 * 1000;
  return new Date(of.now.getTime() - ms);
}
