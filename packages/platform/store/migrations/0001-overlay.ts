// The first schema: accounts, operators, tokens, machines, networks, peers, changes, events, policies, approvals.
// Every column carries its explanation; a test fails on one that does not.
import type { Migration } from '../migrate.ts';

export const overlay: Migration = {
  number: 1,
  name: 'overlay',
  tenantTables: [
    'operators',
    'api_tokens',
    'join_tokens',
    'instances',
    'node_keys',
    'networks',
    'peers',
    'address_quarantine',
    'tunnel_observations',
    'changes',
    'events',
    'policies',
    'approvals',
    'idempotency_keys',
  ],
  sql: `
create table platform_settings (
  name text primary key,                -- what is kept: trust_domain, authority (sealed), first_account_id
  value jsonb not null,                 -- its value; secrets in it are sealed (AES-256-GCM), never plain
  updated_at timestamptz not null default now() -- when it was last written
);

create table accounts (
  id uuid primary key,                  -- UUIDv7
  name text not null,                   -- for people; unique on the platform
  pool_prefix text not null,            -- the /48 of fd00::/8 that its networks are taken from
  change_sequence bigint not null default 0, -- number of its last change; locked by whoever changes what networks should be
  created_at timestamptz not null default now(), -- when it was made
  updated_at timestamptz not null default now(), -- when it was last changed
  revision bigint not null default 1    -- rises with every change
);
create unique index accounts_name on accounts (name);
create unique index accounts_pool on accounts (pool_prefix);

create table operators (
  id uuid primary key,                  -- UUIDv7
  account_id uuid not null references accounts, -- its account
  name text not null,                   -- for people and for the actor of events
  role text not null check (role in ('owner','admin','operator','viewer')), -- what it may do, as a set of permissions
  platform_admin boolean not null default false, -- may make and list accounts too
  disabled_at timestamptz,              -- since when its tokens do not work; null: they do
  created_at timestamptz not null default now(), -- when it was made
  updated_at timestamptz not null default now(), -- when it was last changed
  revision bigint not null default 1    -- rises with every change
);
create index operators_account on operators (account_id, id);
create unique index operators_name on operators (account_id, name);

create table api_tokens (
  id uuid primary key,                  -- UUIDv7
  account_id uuid not null references accounts, -- its account
  operator_id uuid not null references operators, -- whose it is
  name text not null,                   -- for people
  digest text not null,                 -- SHA-256 of the token in hex; the token itself is stored nowhere
  permissions jsonb,                    -- a narrower set than its operator's; null: the same
  expires_at timestamptz,               -- when it stops working; null: never
  revoked_at timestamptz,               -- since when it is revoked; null: it is not
  last_used_at timestamptz,             -- written at most once a minute
  created_at timestamptz not null default now(), -- when it was made
  updated_at timestamptz not null default now(), -- when it was last changed
  revision bigint not null default 1    -- rises with every change
);
create unique index api_tokens_digest on api_tokens (digest);
create index api_tokens_account on api_tokens (account_id, id);

create table join_tokens (
  id uuid primary key,                  -- UUIDv7
  account_id uuid not null references accounts, -- whose fleet the machine joins
  digest text not null,                 -- SHA-256 of the secret part in hex
  name_hint text,                       -- hostname to use instead of what the machine calls itself
  tags jsonb not null default '[]',     -- tags that the machine gets
  expires_at timestamptz not null,      -- when it stops working
  used_at timestamptz,                  -- when a machine used it; single use
  instance_id uuid,                     -- the machine that it lets in; null while that is open
  revoked_at timestamptz,               -- since when it is revoked
  created_at timestamptz not null default now(), -- when it was made
  updated_at timestamptz not null default now(), -- when it was last changed
  revision bigint not null default 1    -- rises with every change
);
create unique index join_tokens_digest on join_tokens (digest);
create index join_tokens_account on join_tokens (account_id, id);

create table instances (
  id uuid primary key,                  -- UUIDv7
  account_id uuid not null references accounts, -- its account
  hostname text not null,               -- what it calls itself, or the join token's hint
  status text not null check (status in ('pending','provisioning','running','draining','stopped','terminated','error')), -- contract §3
  provider text not null,               -- where it comes from; 'joined': by a join token
  tags jsonb not null default '[]',     -- for selecting machines
  agent_version text,                   -- as its agent last said
  last_heartbeat_at timestamptz,        -- when the platform last heard of it; written in batches
  applied_revision bigint,              -- the revision that its kernel was last read back to equal
  applied_hash text,                    -- that document's hash; tells after a restart whether it is still the newest
  observed_address text,                -- the address that its stream comes from
  addresses jsonb not null default '[]', -- its own addresses outside overlays, as it says
  publicly_reachable boolean not null default false, -- its observed address is its own and is routable
  certificate_serial text,              -- of the one certificate that counts; another one is refused
  certificate_serial_next text,         -- of a renewed one that was not used yet; its first use makes it the one that counts
  certificate_expires_at timestamptz,   -- when the one that counts ends
  subsystems jsonb not null default '[]', -- state of its parts, as last reported
  terminated_at timestamptz,            -- since when its certificate is refused
  created_at timestamptz not null default now(), -- when it enrolled
  updated_at timestamptz not null default now(), -- when it was last changed
  revision bigint not null default 1    -- rises with every change
);
create index instances_account on instances (account_id, id);

create table node_keys (
  account_id uuid not null references accounts, -- of the machine
  instance_id uuid not null references instances, -- which machine holds the private half
  public_key text not null,             -- WireGuard, base64
  published_at timestamptz not null default now(), -- when the machine published it
  taken_at timestamptz,                 -- when a peer got it; a key is never given twice
  primary key (instance_id, public_key)
);
create unique index node_keys_key on node_keys (public_key);

create table networks (
  id uuid primary key,                  -- UUIDv7
  account_id uuid not null references accounts, -- its account
  name text not null,                   -- unique in the account
  description text not null default '', -- for people
  handle text not null,                 -- names the interfaces: wg-<handle>; unique on the platform
  prefix text not null,                 -- a /64 of fd00::/8; unique in the account
  ipv4_prefix text,                     -- block of its IPv4 leg; null: none
  pod_subnet_prefix text,               -- block that clusters on it give to their pods; null: none
  routing_mode text not null check (routing_mode in ('static','ibgp')), -- how prefixes behind peers travel
  topology_strategy text not null check (topology_strategy in ('hub_and_spoke','full_mesh')), -- who meets whom
  firewall_default_policy text not null check (firewall_default_policy in ('accept','drop')), -- what happens to a packet that no rule names
  mtu int not null,                     -- of its interfaces
  host_number_highest bigint,           -- the highest host number ever given (below 2^53); null: none yet
  created_at timestamptz not null default now(), -- when it was made
  updated_at timestamptz not null default now(), -- when it was last changed
  revision bigint not null default 1    -- rises with every change
);
create unique index networks_name on networks (account_id, name);
create unique index networks_prefix on networks (account_id, prefix);
create unique index networks_handle on networks (handle);
create index networks_account on networks (account_id, id);

create table peers (
  id uuid primary key,                  -- UUIDv7
  account_id uuid not null references accounts, -- its account
  network_id uuid not null references networks, -- its network
  instance_id uuid not null references instances, -- the machine; once a network
  host_address text not null,           -- a /128 of the network, canonical text
  public_key text not null,             -- taken from the machine's published keys
  publicly_reachable boolean,           -- as declared; null: detected
  endpoint_address text,                -- as declared; null: observed
  listen_port int not null,             -- UDP port of its leaf interface when it can be called
  hub_slot int,                         -- its number among the hubs of the network; null: a spoke
  endpoint text,                        -- where others are told to meet it (derived, kept so that a restart compiles the same)
  tags jsonb not null default '[]',     -- for selecting peers
  created_at timestamptz not null default now(), -- when it was attached
  updated_at timestamptz not null default now(), -- when it was last changed
  revision bigint not null default 1,   -- rises with every change of what it should be
  attached_sequence bigint not null     -- the account's change that attached it
);
create unique index peers_instance on peers (network_id, instance_id);
create unique index peers_address on peers (network_id, host_address);
create unique index peers_key on peers (public_key);
create unique index peers_hub_slot on peers (network_id, hub_slot);
create unique index peers_listen_port on peers (instance_id, listen_port);
create index peers_account on peers (account_id, id);

create table address_quarantine (
  account_id uuid not null references accounts, -- of the network
  network_id uuid not null references networks on delete cascade, -- whose address it is
  host_address text not null,           -- released, not to be given to another peer yet
  instance_id uuid not null,            -- who had it; the same machine may have it back
  released_at timestamptz not null default now(), -- 7 days from here it is free
  primary key (network_id, host_address)
);

create table tunnel_observations (
  account_id uuid not null references accounts, -- of the observer
  instance_id uuid not null references instances on delete cascade, -- who sees it
  interface text not null,              -- on which of its interfaces
  public_key text not null,             -- whom it sees
  last_handshake_at timestamptz,        -- null: never
  rx_bytes bigint not null,             -- received by the observer since the interface came up
  tx_bytes bigint not null,             -- sent by the observer
  endpoint text,                        -- where the observer sees it
  observed_at timestamptz not null default now(), -- when
  primary key (instance_id, interface, public_key)
);
create index tunnel_observations_key on tunnel_observations (account_id, public_key);

create table changes (
  account_id uuid not null references accounts, -- whose
  sequence bigint not null,             -- 1, 2, 3, … without a gap
  at timestamptz not null default now(), -- when
  changes jsonb not null,               -- what networks should be from here on, as the compiler's Change values
  primary key (account_id, sequence)
);

create table events (
  id uuid primary key,                  -- UUIDv7
  account_id uuid not null references accounts, -- who may read it
  kind text not null,                   -- dotted, such as sdwan.network.created
  severity text not null check (severity in ('info','warning','error')), -- how loud
  at timestamptz not null default now(), -- when
  actor jsonb not null,                 -- who: { kind, id, name }
  correlation_id text not null,         -- ties together what one request caused
  payload jsonb not null                -- before and after, and whatever explains it; no secret
);
create index events_account on events (account_id, id desc);
create index events_kind on events (account_id, kind text_pattern_ops);

create table policies (
  account_id uuid not null references accounts, -- whose
  category text not null,               -- of actions
  mode text not null check (mode in ('auto_approve','notify_and_proceed','require_approval','blocked')), -- what happens
  updated_at timestamptz not null default now(), -- when it was set
  primary key (account_id, category)
);

create table approvals (
  id uuid primary key,                  -- UUIDv7
  account_id uuid not null references accounts, -- whose
  action text not null,                 -- name of the action that waits
  category text not null,               -- its policy category
  summary text not null,                -- one line for people
  input jsonb not null,                 -- its parameters, as parsed
  plan jsonb,                           -- what it would have changed when it was asked for
  status text not null check (status in ('pending','approved','rejected','failed')), -- what became of it
  requested_by uuid references operators, -- who asked
  requested_by_name text not null,      -- under which name
  requested_token_id uuid,              -- with which token; its permissions count again when it runs
  decided_by uuid references operators, -- who decided; null: nobody, or time
  decided_by_name text,                 -- under which name
  decided_at timestamptz,               -- when
  reason text,                          -- what the decider said
  expires_at timestamptz not null,      -- when it is rejected unanswered
  result jsonb,                         -- what it answered when it ran
  error jsonb,                          -- why it failed when it ran
  correlation_id text not null,         -- of the request
  created_at timestamptz not null default now(), -- when it was asked for
  updated_at timestamptz not null default now(), -- when it last changed
  revision bigint not null default 1    -- rises with every change
);
create index approvals_account on approvals (account_id, id desc);
create index approvals_pending on approvals (expires_at) where status = 'pending';

create table idempotency_keys (
  account_id uuid not null references accounts, -- whose
  operator_id uuid not null references operators, -- who sent it
  key text not null,                    -- the header's value
  request_digest text not null,         -- SHA-256 of action and parameters: the same key with another request is refused
  status int not null,                  -- HTTP status that was answered
  body jsonb not null,                  -- what was answered, its secrets sealed
  created_at timestamptz not null default now(), -- forgotten a day later
  primary key (account_id, operator_id, key)
);
`,
};
