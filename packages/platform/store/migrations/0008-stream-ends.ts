// What ends the stream of a machine, so that a process finds it that was not told.
import type { Migration } from '../migrate.ts';

export const streamEnds: Migration = {
  number: 8,
  name: 'stream ends',
  sql: `
alter table instances
  add column certificate_changed_at timestamptz;         -- when a renewed certificate was first used, by the database's clock; streams of the one before end
create index instances_terminated on instances (terminated_at) where terminated_at is not null;
create index instances_certificate_changed on instances (certificate_changed_at) where certificate_changed_at is not null;
`,
};
