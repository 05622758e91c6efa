// What nodes say is wrong with them, kept beside the state of their parts.
import type { Migration } from '../migrate.ts';

export const nodeProblems: Migration = {
  number: 4,
  name: 'node-problems',
  sql: `
alter table instances
  add column problems jsonb not null default '[]';       -- what is wrong with it, as it last said (core/wire/node-problems.ts)
`,
};
