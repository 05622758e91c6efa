// What an approved operation made that is shown once: to its requester, who fetches it.
import type { Migration } from '../migrate.ts';

export const onceSecrets: Migration = {
  number: 11,
  name: 'once secrets',
  sql: `
alter table approvals
  add column secret_state text check (secret_state in ('waiting','shown','lapsed')), -- whether its requester has fetched what is shown once; null: there is no such thing
  add column secret_until timestamptz;                   -- until when it can be fetched; it is made then, and stored nowhere
create index approvals_secret_waiting on approvals (secret_until) where secret_state = 'waiting';
`,
};
