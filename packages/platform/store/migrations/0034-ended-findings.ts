// Findings as objects that change, and since when a virtual IP has been without a holder that answers.
import type { Migration } from '../migrate.ts';

export const endedFindings: Migration = {
  number: 34,
  name: 'ended-findings',
  sql: `
alter table findings
  add column updated_at timestamptz not null default now(), -- when it last changed
  add column revision bigint not null default 1;             -- rises with every change

alter table virtual_ips
  add column error_since timestamptz;   -- since when its state is error; null: it is not
update virtual_ips set error_since = updated_at where state = 'error';
`,
};
