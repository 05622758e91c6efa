// Slices of pods: which of them a peer has, and what its machine says of it.
import type { Migration } from '../migrate.ts';

export const pods: Migration = {
  number: 30,
  name: 'pods',
  tenantTables: [],
  sql: `
alter table subnet_advertisements
  add column slice_source text check (slice_source in ('assigned','observed','set')); -- who chose a slice of pods; null: it is none
alter table instances
  add column pod_slices jsonb not null default '[]'; -- slices that a cluster on the machine has, as it says
alter table peers
  add column pod_subnet_refused text,         -- why it does not have the slice that its machine says; null: it has
  add column pod_subnet_refused_at timestamptz, -- since when
  add column pod_subnet_followed_at timestamptz; -- when its slice last followed its machine
`,
};
