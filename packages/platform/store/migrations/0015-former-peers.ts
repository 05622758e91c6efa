// Peers that left their network: a machine that comes back soon is the same peer to everything that names it.
import type { Migration } from '../migrate.ts';

export const formerPeers: Migration = {
  number: 15,
  name: 'former_peers',
  tenantTables: ['former_peers'],
  sql: `
create table former_peers (
  account_id uuid not null references accounts, -- of the network
  network_id uuid not null references networks on delete cascade, -- which it left
  instance_id uuid not null references instances on delete cascade, -- its machine
  peer_id uuid not null,                -- its id, which rules, mappings and devices go on naming
  revision bigint not null,             -- its last one: it goes on from there
  tags jsonb not null,                  -- its tags
  publicly_reachable boolean,           -- as declared; null: detected
  endpoint_addresses jsonb not null,    -- as declared
  listen_port int,                      -- as declared; null: the platform had chosen it
  virtual_ips jsonb not null default '[]', -- virtual IPs that it was a candidate of, each with its place among them
  detached_at timestamptz not null default now(), -- 7 days from here it is forgotten
  primary key (network_id, instance_id)
);
`,
};
