// What a token goes back to, and what goes back to it, is looked up: tokens end with every operator that they go back to.
import type { Migration } from '../migrate.ts';

export const tokenLines: Migration = {
  number: 19,
  name: 'token-lines',
  sql: `
create index api_tokens_created_with on api_tokens (created_with) where created_with is not null;
create index api_tokens_created_by on api_tokens (created_by) where created_by is not null;

-- No upgrade ends a token that works: what was made with one of an operator, or by one, that is disabled already stays
-- as it is. Its event still tells what it was made with.
update api_tokens made set created_with = null
from api_tokens t
  join operators o on o.id = t.operator_id
  left join operators m on m.id = t.created_by
where made.created_with = t.id
  and (o.disabled_at is not null or m.disabled_at is not null);
`,
};
