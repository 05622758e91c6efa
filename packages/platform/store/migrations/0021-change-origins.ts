// Who made a change, by what, and whom it reached: why a node is at its revision.
import type { Migration } from '../migrate.ts';

export const changeOrigins: Migration = {
  number: 21,
  name: 'change-origins',
  tenantTables: ['change_nodes'],
  sql: `
alter table changes
  add column action text,                    -- the action that made it, or what the platform followed by itself; null: from before this was kept
  add column actor jsonb,                    -- who: { kind, id, name }; null: from before this was kept
  add column correlation_id text,            -- that of its events; null: from before this was kept
  add column networks uuid[] not null default '{}', -- whose objects it changed; they may be gone
  add column node_count integer,             -- machines whose documents it changed; null: from before this was kept
  add column is_wide boolean not null default false; -- it reached more machines than are kept: all members of its networks may be
create index changes_wide on changes (account_id, sequence) where is_wide;

create table change_nodes (
  account_id uuid not null,                  -- whose
  sequence bigint not null,                  -- the change
  instance_id uuid not null,                 -- a machine whose document it changed
  primary key (account_id, sequence, instance_id),
  foreign key (account_id, sequence) references changes on delete cascade
);
create index change_nodes_instance on change_nodes (account_id, instance_id, sequence);
`,
};
