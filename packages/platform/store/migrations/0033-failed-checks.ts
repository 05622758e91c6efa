// Health checks of virtual IPs that one peer holds at a time: of which candidates it is known that theirs failed.
import type { Migration } from '../migrate.ts';

export const failedChecks: Migration = {
  number: 33,
  name: 'failed-checks',
  sql: `
alter table virtual_ips
  add column failed_checks jsonb not null default '[]'; -- peers that it was taken from because their check failed
`,
};
