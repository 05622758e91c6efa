// Prefixes behind peers: LANs that operators declare.
import type { Migration } from '../migrate.ts';

export const subnets: Migration = {
  number: 27,
  name: 'subnets',
  tenantTables: ['subnet_advertisements'],
  sql: `
create table subnet_advertisements (
  id uuid primary key,                  -- UUIDv7
  account_id uuid not null references accounts, -- its account
  network_id uuid not null references networks on delete cascade, -- its network
  peer_id uuid not null,                -- the peer in front of it; may be detached by now, and come back
  prefix text not null,                 -- as the network knows it, canonical text
  local_prefix text not null,           -- as the hosts behind the peer know it, of the same length
  source text not null check (source in ('declared_lan_subnet','virtual_ip','pod_subnet','federation')), -- why it is advertised
  description text not null,            -- for people
  preference bigint not null,           -- of several peers with the prefix the highest is used
  source_nat boolean not null,          -- packets into it get the address of the peer's machine there
  withdrawn_at timestamptz,             -- since when it is not routed to; null: it is
  created_at timestamptz not null default now(), -- when it was made
  updated_at timestamptz not null default now(), -- when it was last changed
  revision bigint not null default 1    -- rises with every change
);
create index subnet_advertisements_account on subnet_advertisements (account_id, id);
create index subnet_advertisements_network on subnet_advertisements (network_id, id);
create unique index subnet_advertisements_peer on subnet_advertisements (peer_id, prefix);
`,
};
