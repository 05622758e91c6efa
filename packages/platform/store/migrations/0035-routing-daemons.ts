// Machines without FRR: what they say of it, and which of their peers others meet by static routes.
import type { Migration } from '../migrate.ts';

export const routingDaemons: Migration = {
  number: 35,
  name: 'routing-daemons',
  tenantTables: [],
  sql: `
alter table instances
  add column routing_daemon jsonb; -- { missing }: why FRR cannot be used there, as it says, or null; null: it has not said
alter table peers
  add column routing_daemon_missing boolean not null default false; -- it announces nothing by BGP, whatever routing_mode is
`,
};
