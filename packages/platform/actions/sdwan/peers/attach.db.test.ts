// Attaching reads as many rows of a network of thousands as of a small one, whatever is in it beside peers; and a network
// knows how many peers it has, however they come and go.
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inSystemTransaction } from '../../../coordination/system-actor.ts';
import { inAccount, inPlatform } from '../../../store/tenancy.ts';
import { urlOf } from '../../../store/test-cluster.ts';
import { testCluster } from '../../../store/test-database.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import type { ActionContext } from '../../context.ts';
import { handlers } from '../../handlers.ts';

let platform: TestPlatform;
let accountId: string;

beforeAll(async () => {
  platform = await startTestPlatform();
  accountId = platform.admin.accountId;
});
afterAll(() => platform.close());

async function makeNetwork(name: string): Promise<string> {
  const { network } = (await platform.call('createNetwork', {
    name,
    routing_mode: 'static',
    topology_strategy: 'hub_and_spoke',
  })) as unknown as { network: { id: string } };
  return network.id;
}

/** So many rows of each kind that a network has: hubs and spokes, services, what rests, what a hub and all others see. */
async function fill(networkId: string, count: number): Promise<void> {
  const host = sql`split_part(n.prefix, '::', 1) || '::'`;
  await inAccount(platform.store, accountId, async (trx) => {
    await sql`
      with machine as (
        insert into instances (id, account_id, hostname, status, provider)
        select gen_random_uuid(), ${accountId}, 'filler-' || i, 'running', 'joined' from generate_series(1, ${count}::int) i
        returning id, hostname
      ), numbered as (
        select id, split_part(hostname, '-', 2)::int as i from machine
      )
      insert into peers (id, account_id, network_id, instance_id, host_address, ipv4_address, public_key, direct_key,
        listen_port, hub_slot, endpoint, attached_sequence)
      select gen_random_uuid(), ${accountId}, n.id, m.id, ${host} || to_hex(4096 + m.i), host(n.ipv4_prefix::inet + m.i),
        n.id || ' key ' || m.i, n.id || ' direct ' || m.i, 51820,
        case when m.i <= ${count}::int / 2 then m.i end, case when m.i <= ${count}::int / 2 then '192.0.2.1:51820' end, 0
      from numbered m, networks n where n.id = ${networkId}
    `.execute(trx);
    await sql`
      update networks set host_number_highest = ${4096 + count}, ipv4_number_highest = ${count} where id = ${networkId}
    `.execute(trx);
    await sql`
      insert into virtual_ips (id, account_id, network_id, name, address, anycast, primary_holder_peer_id,
        hold_down_seconds, state)
      select gen_random_uuid(), ${accountId}, n.id, 'service ' || i, ${host} || 'f:' || to_hex(i), false,
        gen_random_uuid(), 60, 'pending'
      from networks n, generate_series(1, ${count}::int) i where n.id = ${networkId}
    `.execute(trx);
    await sql`
      insert into user_devices (id, account_id, network_id, name, public_key, host_address, hub_peer_id, config_digest)
      select gen_random_uuid(), ${accountId}, n.id, 'device ' || i, n.id || ' device ' || i,
        ${host} || 'd:' || to_hex(i), gen_random_uuid(), ''
      from networks n, generate_series(1, ${count}::int) i where n.id = ${networkId}
    `.execute(trx);
    await sql`
      insert into address_quarantine (account_id, network_id, host_address, instance_id)
      select ${accountId}, n.id, ${host} || 'e:' || to_hex(i), gen_random_uuid()
      from networks n, generate_series(1, ${count}::int) i where n.id = ${networkId}
    `.execute(trx);
    await sql`
      insert into former_peers (account_id, network_id, instance_id, peer_id, revision, tags, endpoint_addresses)
      select account_id, network_id, instance_id, gen_random_uuid(), 1, '[]', '[]' from peers
      where network_id = ${networkId}
    `.execute(trx);
    await sql`
      insert into tunnel_observations (account_id, instance_id, interface, public_key, last_handshake_at, rx_bytes, tx_bytes)
      select n.account_id, h.instance_id, 'wg-' || n.handle, p.public_key, now(), 1, 1
      from networks n join peers h on h.network_id = n.id and h.hub_slot = 1 join peers p on p.network_id = n.id
      where n.id = ${networkId} and p.id <> h.id
      union all
      select n.account_id, p.instance_id, 'wg-' || n.handle || '-1', h.public_key, now(), 1, 1
      from networks n join peers h on h.network_id = n.id and h.hub_slot = 1 join peers p on p.network_id = n.id
      where n.id = ${networkId} and p.id <> h.id
    `.execute(trx);
  });
  await analyze();
}

/** The planner is to know what is there, as it does in a database that has run for a while. */
async function analyze(): Promise<void> {
  const { rows } = await inPlatform(platform.store, (trx) =>
    sql<{ name: string }>`select current_database() as name`.execute(trx),
  );
  const client = new pg.Client({ connectionString: urlOf(testCluster(), rows[0]?.name ?? '') });
  await client.connect();
  try {
    await client.query('analyze');
  } finally {
    await client.end();
  }
}

class TakenBack extends Error {}

/** By table: rows that attaching the machine reads. It is taken back. */
async function rowsReadByAttaching(networkId: string, machineId: string): Promise<Map<string, number>> {
  const accord = {
    accountId,
    action: 'observed_endpoint' as const,
    actor: { kind: 'platform' as const, id: null, name: 'platform' },
    correlationId: 'test',
  };
  let read = new Map<string, number>();
  const attach = async (context: ActionContext) => {
    const before = await rowsRead(context);
    await handlers.attachPeer(context, { network_id: networkId, node_instance_id: machineId });
    const after = await rowsRead(context);
    read = new Map([...after].map(([table, rows]) => [table, rows - (before.get(table) ?? 0)]));
    throw new TakenBack();
  };
  await expect(inSystemTransaction(platform, accord, attach)).rejects.toBeInstanceOf(TakenBack);
  return read;
}

/** Of the transaction so far. */
async function rowsRead({ trx }: ActionContext): Promise<Map<string, number>> {
  const { rows } = await sql<{ name: string; read: number }>`
    select relname as name, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) as read
    from pg_stat_xact_user_tables
  `.execute(trx);
  return new Map(rows.map(({ name, read }) => [name, read]));
}

test('attaching reads no more rows of any table when the network has thousands of each', async () => {
  const machines = {
    spoke: await platform.addMachine(accountId, 'a-spoke'),
    hub: await platform.addMachine(accountId, 'a-hub', { publicAddress: '203.0.113.7' }),
  };
  const networkId = await makeNetwork('large');
  await fill(networkId, 2000);
  for (const machineId of Object.values(machines)) {
    const read = await rowsReadByAttaching(networkId, machineId);
    expect(read.get('peers')).toBeGreaterThan(0);
    for (const [table, rows] of read) expect(rows, table).toBeLessThan(30);
  }
});

test('a network knows how many peers it has', async () => {
  const networkId = await makeNetwork('counted');
  const counts = () =>
    inAccount(platform.store, accountId, async (trx) => {
      const { rows } = await sql<{ kept: number; counted: number }>`
        select n.peers_count as kept, (select count(*) from peers p where p.network_id = n.id) as counted
        from networks n where n.id = ${networkId}
      `.execute(trx);
      return rows;
    });
  await fill(networkId, 5);
  expect(await counts()).toEqual([{ kept: 5, counted: 5 }]);
  const machineId = await platform.addMachine(accountId, 'counted-machine');
  const attach = { network_id: networkId, node_instance_id: machineId };
  const { peer } = (await platform.call('attachPeer', attach)) as unknown as { peer: { id: string } };
  expect(await counts()).toEqual([{ kept: 6, counted: 6 }]);
  await platform.call('detachPeer', { peer_id: peer.id, approve: true });
  expect(await counts()).toEqual([{ kept: 5, counted: 5 }]);
  await inAccount(platform.store, accountId, (trx) =>
    trx.deleteFrom('peers').where('network_id', '=', networkId).where('hub_slot', 'is', null).execute(),
  );
  expect(await counts()).toEqual([{ kept: 2, counted: 2 }]);
});

test('a hub gets the lowest free number of those that spokes keep an interface to, and else the next', async () => {
  const networkId = await makeNetwork('hubs');
  await fill(networkId, 12);
  const slotOf = async (hostname: string) => {
    const machineId = await platform.addMachine(accountId, hostname, { publicAddress: '203.0.113.8' });
    await platform.call('attachPeer', { network_id: networkId, node_instance_id: machineId, approve: true });
    return inAccount(platform.store, accountId, (trx) =>
      trx
        .selectFrom('peers')
        .select('hub_slot')
        .where('network_id', '=', networkId)
        .where('instance_id', '=', machineId)
        .executeTakeFirst(),
    );
  };
  expect(await slotOf('seventh-hub')).toEqual({ hub_slot: 7 });
  await inAccount(platform.store, accountId, (trx) =>
    trx.deleteFrom('peers').where('network_id', '=', networkId).where('hub_slot', 'in', [2, 5]).execute(),
  );
  expect(await slotOf('second-hub')).toEqual({ hub_slot: 2 });
  expect(await slotOf('eighth-hub')).toEqual({ hub_slot: 8 });
});
