// The API token that a join token or an access grant was made with: what nobody has used ends with that token.
import type { Migration } from '../migrate.ts';

export const onceTokens: Migration = {
  number: 26,
  name: 'once tokens',
  sql: `
alter table join_tokens
  add column created_with uuid references api_tokens;    -- the token that its maker used; null: not known, its operator is judged alone
alter table access_grants
  add column created_with uuid references api_tokens;    -- the token that its maker used; null: not known, its operator is judged alone
create index join_tokens_created_with on join_tokens (created_with) where created_with is not null;
create index access_grants_created_with on access_grants (created_with) where created_with is not null;
`,
};
