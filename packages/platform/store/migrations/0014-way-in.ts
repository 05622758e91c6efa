// The last way into an account: whoever takes it is refused, and its expiry is warned of once.
import type { Migration } from '../migrate.ts';

export const wayIn: Migration = {
  number: 14,
  name: 'way in',
  sql: `
alter table accounts
  add column way_in_warned_for timestamptz;              -- the expiry of its last owner's token that was warned of
`,
};
