// Routing by BGP: the number of an account, route policies, and sessions as nodes see them.
import type { Migration } from '../migrate.ts';

export const routing: Migration = {
  number: 28,
  name: 'routing',
  tenantTables: ['route_policies', 'bgp_sessions'],
  sql: `
alter table accounts
  add column as_number bigint not null default 64512; -- of all its networks that speak BGP

create table route_policies (
  id uuid primary key,                  -- UUIDv7: policies of a direction act in the order of their ids
  account_id uuid not null references accounts, -- its account
  network_id uuid not null references networks on delete cascade, -- its network
  name text not null,                   -- for people, unique in its network
  direction text not null check (direction in ('import','export')), -- which paths it acts on
  statements jsonb not null,            -- in the order of their seq (core/intent/route-policy.ts)
  created_at timestamptz not null default now(), -- when it was made
  updated_at timestamptz not null default now(), -- when it was last changed
  revision bigint not null default 1    -- rises with every change
);
create index route_policies_account on route_policies (account_id, id);
create unique index route_policies_name on route_policies (network_id, name);

create table bgp_sessions (
  account_id uuid not null references accounts, -- its account
  network_id uuid not null references networks on delete cascade, -- its network
  peer_id uuid not null references peers on delete cascade, -- the peer whose node sees it so
  neighbor_id uuid not null references peers on delete cascade, -- the peer at the other end
  state text not null,                  -- RFC 4271 §8.2.2
  established_at timestamptz,           -- since when it is established; null: it is not
  down_since timestamptz,               -- since when it is not, or was not the last time; null: it was always
  recovered_at timestamptz,             -- when it was established after that; null: it is down, or never was
  prefixes_received bigint not null,    -- how many prefixes the other end announces
  last_error text,                      -- why it ended last or does not come up, in the words of the daemon
  observed_at timestamptz not null,     -- when the node said so
  primary key (peer_id, neighbor_id)
);
create index bgp_sessions_account on bgp_sessions (account_id);
create index bgp_sessions_network on bgp_sessions (network_id);
create index bgp_sessions_neighbor on bgp_sessions (neighbor_id);
`,
};
