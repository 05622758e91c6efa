// Sessions of BGP that are to be cleared, and what the periodic audit of policies and rules has found.
import type { Migration } from '../migrate.ts';

export const sessionResetsAndFindings: Migration = {
  number: 32,
  name: 'session resets and findings',
  tenantTables: ['bgp_session_resets', 'findings'],
  sql: `
create table bgp_session_resets (
  id uuid primary key,                  -- that of the session (actions/sdwan/routing/session-ends.ts)
  account_id uuid not null references accounts, -- its account
  network_id uuid not null references networks on delete cascade, -- its network
  peer_id uuid not null,                -- the peer whose node clears it; may be detached by now, and come back
  neighbor_id uuid not null,            -- the peer at the other end
  reset_id uuid not null,               -- another one each time
  requested_at timestamptz not null,    -- when it was asked for last
  done_at timestamptz                   -- when the node said that it was done; null: not yet
);
create index bgp_session_resets_account on bgp_session_resets (account_id);
create index bgp_session_resets_network on bgp_session_resets (network_id);
create unique index bgp_session_resets_ends on bgp_session_resets (peer_id, neighbor_id);

create table findings (
  id uuid primary key,                  -- UUIDv7
  account_id uuid not null references accounts, -- its account
  network_id uuid not null references networks on delete cascade, -- its network
  kind text not null,                   -- core/intent/findings.ts
  severity text not null check (severity in ('info','warning','error')), -- how grave it is
  mark text not null,                   -- what makes it the same finding as before: kind, object and cause
  object jsonb not null,                -- type, id and name of what it is about
  cause jsonb,                          -- type, id and name of what causes it; null: nothing else does
  detail text not null,                 -- for people
  began_at timestamptz not null,        -- when an audit found it first
  recovered_at timestamptz              -- when an audit did not find it any more; null: it still holds
);
create index findings_account on findings (account_id, began_at);
create index findings_network on findings (network_id);
create unique index findings_open on findings (network_id, mark) where recovered_at is null;
`,
};
