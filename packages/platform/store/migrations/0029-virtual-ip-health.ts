// Health checks of anycast virtual IPs: what holders ask, and what they find.
import type { Migration } from '../migrate.ts';

export const virtualIpHealth: Migration = {
  number: 29,
  name: 'virtual-ip-health',
  tenantTables: ['virtual_ip_health'],
  sql: `
alter table virtual_ips
  add column health_check jsonb;        -- what each holder asks the service (core/intent/virtual-ip.ts); null: nothing

create table virtual_ip_health (
  account_id uuid not null references accounts, -- its account
  virtual_ip_id uuid not null references virtual_ips on delete cascade, -- its virtual IP
  peer_id uuid not null references peers on delete cascade, -- the holder
  health text not null check (health in ('healthy','failing','unknown')), -- of the service on the holder's machine
  since timestamptz not null,           -- since when it is so, by the node's clock
  last_error text,                      -- why the last check failed; null: it did not
  observed_at timestamptz not null,     -- when the node said so
  primary key (virtual_ip_id, peer_id)
);
create index virtual_ip_health_account on virtual_ip_health (account_id);
create index virtual_ip_health_peer on virtual_ip_health (peer_id);
`,
};
