// Tokens that are made for a program which a model drives.
import type { Migration } from '../migrate.ts';

export const modelTokens: Migration = {
  number: 12,
  name: 'model-tokens',
  sql: `
alter table api_tokens
  add column for_model boolean not null default false; -- held to what a model may do, by whichever way it comes
`,
};
