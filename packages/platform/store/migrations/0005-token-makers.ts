// Who made an API token: it ends with that operator, and never may do more than that operator.
import type { Migration } from '../migrate.ts';

export const tokenMakers: Migration = {
  number: 5,
  name: 'token makers',
  sql: `
alter table api_tokens
  add column created_by uuid references operators,       -- who made it; it ends with that operator; null: the platform itself
  add column created_with uuid references api_tokens;    -- the token that its maker used; null: none, or not known any more

-- The login may be bound by row-level security itself.
select set_config('powernode.scope', 'platform', true);

-- Tokens of before are told of by their events. No upgrade ends a token that works: what was made by an operator that is
-- disabled already stays as it is.
update api_tokens t set created_by = o.id
from events e join operators o on o.id::text = e.actor->>'id'
where e.kind = 'system.api_token.created'
  and e.actor->>'kind' = 'operator'
  and o.disabled_at is null
  and e.payload->'after'->>'id' = t.id::text;
`,
};
