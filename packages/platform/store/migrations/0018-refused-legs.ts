// Since when a peer is refused its network's IPv4 leg: a machine may come into a conflict with it long after it was attached.
import type { Migration } from '../migrate.ts';

export const refusedLegs: Migration = {
  number: 18,
  name: 'refused-legs',
  sql: `
alter table peers
  add column ipv4_refused_at timestamptz;               -- since when ipv4_refused says so; null: since it was attached, or it does not
`,
};
