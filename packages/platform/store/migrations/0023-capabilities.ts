// What each machine's agent knows of the protocol: a process that has no stream of it judges by this what it is given.
import type { Migration } from '../migrate.ts';

export const capabilities: Migration = {
  number: 23,
  name: 'capabilities',
  sql: `
alter table instances
  add column capability integer;   -- what its agent and the platform spoke at the last hello; null: none yet
`,
};
