// The services of an overlay: firewall rules, virtual IPs, port mappings, people's devices; the IPv4 leg and what
// direct paths need. Every column carries its explanation; a test fails on one that does not.
import type { Migration } from '../migrate.ts';

export const services: Migration = {
  number: 2,
  name: 'services',
  tenantTables: [
    'prefix_quarantine',
    'firewall_rules',
    'rule_counters',
    'virtual_ips',
    'virtual_ip_transitions',
    'port_mappings',
    'access_grants',
    'user_devices',
  ],
  sql: `
alter table networks
  add column direct_paths boolean not null default true, -- spokes behind NATs may meet without a hub
  add column ipv4_number_highest bigint;                 -- the highest host number ever given in ipv4_prefix; null: none yet

alter table address_quarantine
  add column of_virtual_ip boolean not null default false; -- instance_id was a virtual IP: another one may have it back

alter table peers
  add column ipv4_address text,                          -- in the network's ipv4_prefix; null: the network has none
  add column direct_key text,                            -- the key of its leaf interface while it is a spoke behind a NAT
  add column direct_endpoint text,                       -- where hubs see that interface, when others may call it there
  add column nat_kind text not null default 'unknown' check (nat_kind in ('unknown','cone','symmetric')), -- what hubs see of its NAT
  add column draining boolean not null default false;    -- its machine is being drained: a hub that nobody should use
create unique index peers_ipv4_address on peers (network_id, ipv4_address);
create unique index peers_direct_key on peers (direct_key);

-- What they say is in the shape of the first version; nodes that were away get whole documents instead.
delete from changes;

create table prefix_quarantine (
  account_id uuid not null references accounts, -- whose network it was
  prefix text not null,                 -- of a deleted network, either family
  number_highest bigint not null,       -- the highest host number ever given in it
  released_at timestamptz not null default now(), -- 7 days from here it is free
  primary key (account_id, prefix)
);

create table firewall_rules (
  id uuid primary key,                  -- UUIDv7; of two rules of one rank the lower id wins
  account_id uuid not null references accounts, -- its account
  network_id uuid not null references networks on delete cascade, -- its network
  name text,                            -- for people; null: none was given
  direction text not null check (direction in ('ingress','egress','both')), -- where it is judged
  action text not null check (action in ('accept','drop','reject')), -- what happens to a packet that it names
  selector jsonb not null,              -- where packets come from, as the compiler's Selector
  destination jsonb not null,           -- where packets go, as the compiler's Selector
  protocol text not null check (protocol in ('any','tcp','udp','icmp6')), -- of the packet
  port_first int,                       -- first destination port; null: all
  port_last int,                        -- last destination port; null: all
  enabled boolean not null,             -- whether it reaches any node
  created_at timestamptz not null default now(), -- when it was made
  updated_at timestamptz not null default now(), -- when it was last changed
  revision bigint not null default 1    -- rises with every change
);
create index firewall_rules_account on firewall_rules (account_id, id);
create index firewall_rules_network on firewall_rules (network_id, id);

create table rule_counters (
  account_id uuid not null references accounts, -- of the rule
  rule_id uuid not null references firewall_rules on delete cascade, -- what was counted
  instance_id uuid not null references instances on delete cascade, -- who counted
  packets bigint not null,              -- since the rule was there, over all lives of the machine's table
  bytes bigint not null,                -- the same
  base_packets bigint not null default 0, -- of earlier lives of the table, which begins at 0 anew
  base_bytes bigint not null default 0, -- the same
  observed_at timestamptz not null default now(), -- when
  primary key (rule_id, instance_id)
);

create table virtual_ips (
  id uuid primary key,                  -- UUIDv7
  account_id uuid not null references accounts, -- its account
  network_id uuid not null references networks on delete cascade, -- its network
  name text not null,                   -- unique in the network
  address text not null,                -- in the network's prefix, canonical text
  ipv4_address text,                    -- in the network's ipv4_prefix; null: the network has none
  anycast boolean not null,             -- all holders answer at once
  primary_holder_peer_id uuid not null, -- the first candidate; may be gone by now
  failover_holder_peer_ids jsonb not null default '[]', -- further candidates in order
  preempt boolean not null default false, -- goes back to a better candidate when that is well again
  hold_down_seconds int not null,       -- no second move on its own within so long after one
  state text not null check (state in ('pending','active','failing_over','unassigned','error')), -- contract §4
  state_detail text,                    -- why, for people
  current_holder_peer_id uuid,          -- who has been given it; null: nobody (also while it moves)
  releasing_peer_id uuid,               -- who has to have given it up before the successor gets it
  release_sequence bigint,              -- the account's change that took it from that one
  successor_peer_id uuid,               -- who gets it then
  transition jsonb,                     -- of the move under way: reason, detail, actor, when it was decided
  epoch bigint not null default 0,      -- rises with every change of the holder
  last_transition_at timestamptz,       -- when the holder last changed
  created_at timestamptz not null default now(), -- when it was made
  updated_at timestamptz not null default now(), -- when it was last changed
  revision bigint not null default 1    -- rises with every change of what it should be, and of its holder
);
create index virtual_ips_account on virtual_ips (account_id, id);
create unique index virtual_ips_name on virtual_ips (network_id, name);
create unique index virtual_ips_address on virtual_ips (network_id, address);
create unique index virtual_ips_ipv4 on virtual_ips (network_id, ipv4_address);

create table virtual_ip_transitions (
  id uuid primary key,                  -- UUIDv7
  account_id uuid not null references accounts, -- of the virtual IP
  virtual_ip_id uuid not null references virtual_ips on delete cascade, -- what moved
  at timestamptz not null default now(), -- when it was decided
  from_peer_id uuid,                    -- who had it; null: nobody
  to_peer_id uuid,                      -- who got it; null: nobody
  reason text not null,                 -- created, holder_dead, by_hand, preempted, holder_changed, holder_gone, drained
  detail text not null,                 -- the evidence, for people
  actor text not null,                  -- who decided
  epoch bigint not null,                -- of the new holder
  took_ms int                           -- until the new holder had applied it; null: it has not yet
);
create index virtual_ip_transitions_of on virtual_ip_transitions (virtual_ip_id, id desc);

create table port_mappings (
  id uuid primary key,                  -- UUIDv7
  account_id uuid not null references accounts, -- its account
  network_id uuid not null references networks on delete cascade, -- its network
  hub_peer_id uuid not null,            -- the hub that has the external address; may be gone by now
  hub_instance_id uuid not null,        -- that hub's machine, so that doors of two networks on one machine cannot meet
  external_address text not null,       -- canonical text
  external_port int not null,           -- of the door
  protocol text not null check (protocol in ('tcp','udp')), -- of the door
  internal_peer_id uuid,                -- where it leads, or
  internal_virtual_ip_id uuid,          -- where it leads
  internal_port int not null,           -- where it leads
  source_cidrs jsonb not null default '[]', -- who may come; empty: everybody
  rate_limit int,                       -- new connections a second; null: no limit
  max_connections int,                  -- at once; null: no limit
  created_at timestamptz not null default now(), -- when it was made
  updated_at timestamptz not null default now(), -- when it was last changed
  revision bigint not null default 1    -- rises with every change
);
create index port_mappings_account on port_mappings (account_id, id);
create unique index port_mappings_door on port_mappings (hub_instance_id, external_address, protocol, external_port);

create table access_grants (
  id uuid primary key,                  -- UUIDv7
  account_id uuid not null references accounts, -- its account
  network_id uuid not null references networks on delete cascade, -- where the device gets in
  device_name_hint text not null,       -- name of the device, unless it is given another one
  digest text not null,                 -- SHA-256 of the secret part of the bootstrap URL in hex
  tags jsonb not null default '[]',     -- tags that the device gets
  expires_at timestamptz not null,      -- when it stops working
  used_at timestamptz,                  -- when a device used it; single use
  idempotency_digest text,              -- SHA-256 of the Idempotency-Key that its page used it with; null: none
  revoked_at timestamptz,               -- since when it is revoked
  user_device_id uuid,                  -- the device that used it, or that it is for
  created_at timestamptz not null default now(), -- when it was made
  updated_at timestamptz not null default now(), -- when it was last changed
  revision bigint not null default 1    -- rises with every change
);
create unique index access_grants_digest on access_grants (digest);
create index access_grants_account on access_grants (account_id, id);

create table user_devices (
  id uuid primary key,                  -- UUIDv7
  account_id uuid not null references accounts, -- its account
  network_id uuid not null references networks on delete cascade, -- its network
  access_grant_id uuid,                 -- the last grant that it used
  name text not null,                   -- for people
  public_key text not null,             -- WireGuard, base64; the private half is only on the device
  host_address text not null,           -- in the network's prefix
  ipv4_address text,                    -- in the network's ipv4_prefix; null: the network has none
  hub_peer_id uuid not null,            -- the hub that it calls; may be gone by now
  tags jsonb not null default '[]',     -- for selecting it in rules
  config_digest text not null,          -- of the configuration that it was given; another one now: stale
  revoked_at timestamptz,               -- since when it is shut out
  taken_from jsonb not null default '[]', -- machines that had it as a hub, each with the account's change that ended that
  created_at timestamptz not null default now(), -- when it was issued
  updated_at timestamptz not null default now(), -- when it was last changed
  revision bigint not null default 1    -- rises with every change
);
create index user_devices_account on user_devices (account_id, id);
create index user_devices_network on user_devices (network_id, id);
create unique index user_devices_key on user_devices (public_key) where revoked_at is null;
create unique index user_devices_address on user_devices (network_id, host_address) where revoked_at is null;
`,
};
