// Attaching reads as many rows in a network of ten thousand as in one of ten: how many peers a network has is kept with
// it, and what rests or was there before is found by index.
import type { Migration } from '../migrate.ts';

export const peersCount: Migration = {
  number: 22,
  name: 'peers-count',
  sql: `
alter table networks
  add column peers_count int not null default 0;   -- how many peers it has; kept by the triggers below
update networks n set peers_count = (select count(*) from peers p where p.network_id = n.id);

create function count_peers_of_networks() returns trigger language plpgsql as $$
begin
  update networks n
  set peers_count = n.peers_count + case tg_op when 'INSERT' then c.peers else -c.peers end
  from (select network_id, count(*)::int as peers from moved group by network_id) c
  where n.id = c.network_id;
  return null;
end $$;
create trigger peers_added after insert on peers
  referencing new table as moved for each statement execute function count_peers_of_networks();
create trigger peers_removed after delete on peers
  referencing old table as moved for each statement execute function count_peers_of_networks();

create index address_quarantine_owner on address_quarantine (network_id, instance_id);
create index address_quarantine_released on address_quarantine (network_id, released_at);
create index former_peers_detached on former_peers (network_id, detached_at);
create index user_devices_ipv4 on user_devices (network_id, ipv4_address) where revoked_at is null;
`,
};
