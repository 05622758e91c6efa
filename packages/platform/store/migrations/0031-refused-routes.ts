// What a neighbor of BGP announced that it may not, as the node that refused it says.
import type { Migration } from '../migrate.ts';

export const refusedRoutes: Migration = {
  number: 31,
  name: 'refused-routes',
  sql: `
alter table bgp_sessions
  add column refused_ipv4 bigint not null default 0, -- announcements that were refused, the last time that some were
  add column refused_ipv6 bigint not null default 0, -- the same of IPv6 prefixes
  add column refused_since timestamptz,              -- when they began; null: never
  add column refused_until timestamptz;              -- when they had stopped; null: they have not, or never began
create index bgp_sessions_refusing on bgp_sessions (network_id)
  where refused_since is not null and refused_until is null;
`,
};
