// Durable operations: long work of the platform, of which each step is one row's turn, so that any process can go on with it.
import type { Migration } from '../migrate.ts';

export const operations: Migration = {
  number: 25,
  name: 'operations',
  tenantTables: ['operations'],
  sql: `
create table operations (
  id uuid primary key,                  -- UUIDv7
  account_id uuid not null references accounts, -- whose
  kind text not null,                   -- what is done; a process that does not know it leaves it alone
  summary text not null,                -- one line for people
  subject_id uuid,                      -- the object that it is about; null: none
  input jsonb not null,                 -- as it was begun with
  state text not null check (state in ('queued','running','succeeded','failed','cancelled')), -- how far it is
  step text not null,                   -- the step that runs, is next, or was the last
  memory jsonb not null default '{}',   -- what its steps leave for those after them
  detail text,                          -- what the step said last
  attempts int not null default 0,      -- how often in a row the step has failed
  due_at timestamptz not null default now(), -- when the step is to run next
  claim uuid,                           -- of the turn under way: only who has it writes; null: nobody's turn
  claimed_until timestamptz,            -- from then on another process may take the turn
  cancel_requested_at timestamptz,      -- when it was asked to end; null: it was not
  cancel_reason text,                   -- why, for people
  requested_by uuid references operators, -- who began it; null: the platform itself
  requested_by_name text not null,      -- under which name
  correlation_id text not null,         -- of the call that began it
  result jsonb,                         -- what came of it; null: it has not succeeded
  error jsonb,                          -- why it failed, as a problem; null: it has not
  ended_at timestamptz,                 -- when it was over; null: it is not
  created_at timestamptz not null default now(), -- when it was begun
  updated_at timestamptz not null default now(), -- when a step last said something new
  revision bigint not null default 1    -- rises with each of them
);
create index operations_account on operations (account_id, id desc);
create index operations_due on operations (due_at) where ended_at is null;
create index operations_ended on operations (ended_at) where ended_at is not null;
create unique index operations_of_subject on operations (kind, subject_id) where ended_at is null;
`,
};
