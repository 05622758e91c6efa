// What machines have outside their overlays, which IPv4 legs were chosen for whom, and who is refused one.
import type { Migration } from '../migrate.ts';

export const underlay: Migration = {
  number: 6,
  name: 'underlay',
  sql: `
alter table instances
  add column underlay jsonb not null default '[]'; -- networks, gateways, servers around it, as it says (core/wire/underlay.ts)

alter table networks
  add column ipv4_chosen boolean not null default false; -- its ipv4_prefix was chosen by the platform, which may choose another until an address of it is given

-- Blocks of the size and pool that the platform chose from so far.
update networks set ipv4_chosen = true where ipv4_prefix like '100.%/18';

alter table peers
  add column ipv4_refused text;         -- why it has no IPv4 address though its network has a leg; null: it has one, or there is none
`,
};
