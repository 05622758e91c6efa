// What is not kept any more is deleted: readers of events are told when what they missed is gone.
import type { Migration } from '../migrate.ts';

export const retention: Migration = {
  number: 24,
  name: 'retention',
  sql: `
alter table accounts
  add column events_deleted_to uuid;                     -- the last of its events that were deleted because of their age; null: none was
create index idempotency_keys_created on idempotency_keys (created_at);
`,
};
