// Policies as objects like all others: with an id, a revision, and a row also where the default holds.
import type { Migration } from '../migrate.ts';

export const policies: Migration = {
  number: 3,
  name: 'policies',
  sql: `
alter table policies
  drop constraint policies_pkey,
  add unique (account_id, category),
  alter column mode drop not null,                       -- null: the default of the category holds
  add column id uuid,                                    -- UUIDv7
  add column created_at timestamptz not null default now(), -- when it was first looked at or set
  add column revision bigint not null default 1;         -- rises with every change

update policies set id = (
  lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
  || '7' || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15)
)::uuid;

alter table policies add primary key (id);
`,
};
