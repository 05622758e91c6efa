// Requests that wait are counted for whoever asks, those of models apart, and are looked at whenever an object changes.
import type { Migration } from '../migrate.ts';

export const waitingRequests: Migration = {
  number: 20,
  name: 'waiting-requests',
  sql: `
alter table approvals
  add column of_model boolean not null default false;   -- whether a model asked for it
create index approvals_waiting on approvals (account_id, of_model, requested_by) where status = 'pending';
`,
};
