// Several endpoints of a peer, a listening port of its own choice, and why a peer is a hub or a spoke.
import type { Migration } from '../migrate.ts';

export const endpoints: Migration = {
  number: 10,
  name: 'endpoints',
  sql: `
alter table peers
  add column endpoint_addresses jsonb not null default '[]', -- as declared, the preferred one first; empty: observed
  add column fallback_endpoints jsonb not null default '[]', -- where others are told to try after endpoint (derived)
  add column listen_port_declared boolean not null default false, -- listen_port was asked for; false: chosen
  add column role_because text; -- why it became a hub or a spoke; null: before this was recorded

update peers set endpoint_addresses = jsonb_build_array(endpoint_address) where endpoint_address is not null;
alter table peers drop column endpoint_address;

alter table instances
  add column observed_since timestamptz, -- since when it is seen at observed_address; null: before this was recorded
  add column families jsonb not null default '[]'; -- IP families in which it reaches others, as it says; empty: not known
`,
};
