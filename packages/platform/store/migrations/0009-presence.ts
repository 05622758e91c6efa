// Since when machines are not heard, and peers not reached, as events have told: so that a start tells nothing twice.
import type { Migration } from '../migrate.ts';

export const presence: Migration = {
  number: 9,
  name: 'presence',
  sql: `
    alter table instances add column offline_since timestamptz;
    alter table peers add column unreachable_since timestamptz;
  `,
};
