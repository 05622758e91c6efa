// Who made a join token or an access grant: what nobody has used ends with that operator.
import type { Migration } from '../migrate.ts';

export const onceMakers: Migration = {
  number: 16,
  name: 'once makers',
  sql: `
alter table join_tokens
  add column created_by uuid references operators;       -- who made it; null: not known any more
alter table access_grants
  add column created_by uuid references operators;       -- who made it; null: not known any more
create index join_tokens_created_by on join_tokens (created_by) where used_at is null and revoked_at is null;
create index access_grants_created_by on access_grants (created_by) where used_at is null and revoked_at is null;

-- The login may be bound by row-level security itself.
select set_config('powernode.scope', 'platform', true);

-- Those of before are told of by their events.
update join_tokens t set created_by = o.id
from events e join operators o on o.id::text = e.actor->>'id'
where e.kind = 'system.join_token.created'
  and e.actor->>'kind' = 'operator'
  and e.payload->'after'->>'id' = t.id::text;
update access_grants g set created_by = o.id
from events e join operators o on o.id::text = e.actor->>'id'
where e.kind = 'sdwan.access_grant.created'
  and e.actor->>'kind' = 'operator'
  and e.payload->'after'->>'id' = g.id::text;
`,
};
