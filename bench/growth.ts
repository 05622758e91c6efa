// Benchmark (i): attaching a machine to networks of 100, 1,000 and 10,000 peers, as it is answered over HTTP. What attaching
// reads and writes should not grow with the network.
import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { openStore, type Store } from '../packages/platform/store/open-store.ts';
import { inAccount } from '../packages/platform/store/tenancy.ts';
import { percentile, type Report } from './report.ts';
import { callsOf } from './stage/calls.ts';
import { startPlatform, withFolder } from './stage/platform.ts';

const sizes = [100, 1000, 10_000] as const;
const attaches = 60;
/** The first ones meet a platform whose code has not been compiled yet. */
const warmUp = 20;
const bench = 'growth';

export async function benchGrowth(report: Report): Promise<void> {
  report.heading('(i) attaching, by the size of the network');
  let smallest: number | null = null;
  for (const size of sizes) {
    const times = await withFolder((dataDir) => attachTimes(dataDir, size));
    const value = percentile(times, 0.5);
    report.add({
      bench,
      what: `attach to a network of ${size}, p50 of ${times.length}`,
      value,
      unit: 'ms',
      ...(smallest === null ? {} : { beside: { what: `in one of ${sizes[0]}`, value: smallest } }),
      note: `p95 ${percentile(times, 0.95).toFixed(1)} ms`,
    });
    smallest ??= value;
  }
}

async function attachTimes(dataDir: string, size: number): Promise<number[]> {
  const first = await startPlatform({ dataDir });
  const { network } = await callsOf(first)<{ network: { id: string; account_id: string } }>(
    'system_sdwan_create_network',
    { name: 'bench', routing_mode: 'static', topology_strategy: 'hub_and_spoke' },
  );
  await first.stop();
  const machines = await fill(dataDir, { network, size });
  const platform = await startPlatform({ dataDir });
  const call = callsOf(platform);
  const times: number[] = [];
  try {
    for (const node_instance_id of machines) {
      const beganMs = performance.now();
      await call('system_sdwan_attach_peer', { network_id: network.id, node_instance_id });
      times.push(performance.now() - beganMs);
    }
  } finally {
    await platform.stop();
  }
  return times.slice(warmUp);
}

/** Peers as attaching leaves them, two of them hubs, and machines that are to be attached. */
async function fill(
  dataDir: string,
  of: { readonly network: { readonly id: string; readonly account_id: string }; readonly size: number },
): Promise<string[]> {
  const store = await openStore({ dataDir, databaseUrl: null, log: pino({ level: 'silent' }) });
  const { id: networkId, account_id: accountId } = of.network;
  try {
    await insertPeers(store, { networkId, accountId, size: of.size });
    const machines = Array.from({ length: warmUp + attaches }, () => uuidv7());
    await inAccount(store, accountId, async (trx) => {
      await sql`
        insert into instances (id, account_id, hostname, status, provider)
        select id, ${accountId}, 'new-' || n, 'running', 'joined'
        from unnest(${machines}::uuid[]) with ordinality as new (id, n)
      `.execute(trx);
      const keys = machines.flatMap((instance_id) =>
        Array.from({ length: 2 }, () => ({
          account_id: accountId,
          instance_id,
          public_key: randomBytes(32).toString('base64'),
        })),
      );
      await trx.insertInto('node_keys').values(keys).execute();
    });
    return machines;
  } finally {
    await store.close();
  }
}

async function insertPeers(
  store: Pick<Store, 'db'>,
  of: { readonly networkId: string; readonly accountId: string; readonly size: number },
): Promise<void> {
  const { networkId, accountId, size } = of;
  await inAccount(store, accountId, async (trx) => {
    await sql`
      with machine as (
        insert into instances (id, account_id, hostname, status, provider)
        select gen_random_uuid(), ${accountId}, 'machine-' || i, 'running', 'joined'
        from generate_series(1, ${size}::int) i
        returning id, split_part(hostname, '-', 2)::int as i
      )
      insert into peers (id, account_id, network_id, instance_id, host_address, ipv4_address, public_key, direct_key,
        listen_port, hub_slot, endpoint, attached_sequence)
      select gen_random_uuid(), ${accountId}, n.id, m.id, split_part(n.prefix, '::', 1) || '::' || to_hex(4096 + m.i),
        host(n.ipv4_prefix::inet + m.i), encode(sha256(('key ' || m.i)::bytea), 'base64'),
        encode(sha256(('direct ' || m.i)::bytea), 'base64'), 51820, case when m.i <= 2 then m.i end,
        case when m.i <= 2 then '192.0.2.' || m.i || ':51820' end, 0
      from machine m, networks n where n.id = ${networkId}
    `.execute(trx);
    await sql`
      update networks set host_number_highest = ${4096 + size}, ipv4_number_highest = ${size} where id = ${networkId}
    `.execute(trx);
  });
}
