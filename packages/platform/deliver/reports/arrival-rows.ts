// The statements that write what nodes say of themselves: a few for a whole batch of nodes of one account.
import type { AccountId } from '@powernode/core/ids';
import type { Event } from '@powernode/core/intent/fleet';
import { unusedKeysMax } from '@powernode/core/limits/trust';
import type { UnderlayFact } from '@powernode/core/net/underlay';
import { sql, type Transaction } from 'kysely';
import { writeEvents } from '../../events/write-events.ts';
import type { Database } from '../../store/tables.ts';
import type { Clock } from '../../trust/clock.ts';
import { makeEvent } from '../../trust/node-events.ts';
import type { NodeState } from '../nodes/node-state.ts';
import type { Facts, ObservedMachine, RoutingDaemon } from './arrival.ts';

export interface ArrivalRow {
  readonly node: NodeState;
  readonly facts: Facts | null;
  readonly keys: readonly string[];
  readonly keysAreAll: boolean;
  readonly underlay: readonly UnderlayFact[] | null;
  readonly podSlices: readonly string[] | null;
  readonly routingDaemon: RoutingDaemon | null;
}

export type Surrounded = Omit<ObservedMachine, 'accountId'>;

export interface ArrivalBatch {
  readonly accountId: AccountId;
  readonly rows: readonly ArrivalRow[];
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Returns the instances whose address, underlay, slices of pods or FRR changed, the events to publish, and the retired keys among those
 * offered: keys of a peer that was deleted while the node was offline, so that the node does not know.
 */
export async function writeArrivals(
  trx: Transaction<Database>,
  batch: ArrivalBatch,
): Promise<{
  readonly moved: ReadonlySet<string>;
  readonly surrounded: readonly Surrounded[];
  readonly events: readonly Event[];
  readonly retired: ReadonlyMap<string, readonly string[]>;
}> {
  // A transaction that attaches an instance holds this lock and has read the instance's address. So either it has
  // committed, and the consequences of the new address are found after this; or it waits, and reads the new address.
  await sql`select 1 from accounts where id = ${batch.accountId} for share`.execute(trx);
  await writeKeys(trx, batch);
  const moved = await writeFacts(trx, batch);
  const surrounded: Surrounded[] = [];
  for (const one of surroundings) surrounded.push(...(await writeSurroundings(trx, batch, one)));
  const retired = await retiredKeys(trx, batch);
  return { moved, surrounded, retired, events: await startRunning(trx, batch) };
}

async function retiredKeys(
  trx: Transaction<Database>,
  { rows }: ArrivalBatch,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const offered = keyRows(rows.filter((row) => row.keys.length > 0));
  if (offered === null) return new Map();
  const { rows: found } = await sql<{ instance_id: string; public_keys: string[] }>`
    select k.instance_id, array_agg(k.public_key) as public_keys
    from jsonb_to_recordset(${offered}::jsonb) as h(id uuid, keys jsonb)
    join node_keys k on k.instance_id = h.id and h.keys ? k.public_key
    where k.taken_at is not null
      and not exists (select from peers p where p.public_key = k.public_key)
      and not exists (select from peers p where p.direct_key = k.public_key)
    group by k.instance_id
  `.execute(trx);
  return new Map(found.map((row) => [row.instance_id, row.public_keys]));
}

/** A key that was given to a peer stays marked as taken, whatever its node reports. */
async function writeKeys(trx: Transaction<Database>, { accountId, rows }: ArrivalBatch): Promise<void> {
  const all = keyRows(rows.filter((row) => row.keysAreAll));
  const published = keyRows(rows.filter((row) => row.keys.length > 0));
  if (all !== null) {
    await sql`
      delete from node_keys k
      using jsonb_to_recordset(${all}::jsonb) as h(id uuid, keys jsonb)
      where k.instance_id = h.id and k.taken_at is null and not (h.keys ? k.public_key)
    `.execute(trx);
  }
  if (published === null) return;
  await sql`
    insert into node_keys (account_id, instance_id, public_key)
    select i.account_id, i.id, k.public_key
    from jsonb_to_recordset(${published}::jsonb) as h(id uuid, keys jsonb)
    join instances i on i.id = h.id and i.account_id = ${accountId} and i.terminated_at is null
    cross join lateral jsonb_array_elements_text(h.keys) with ordinality as k(public_key, number)
    where k.number + (
      select count(*) from node_keys other
      where other.instance_id = h.id and other.taken_at is null and not (h.keys ? other.public_key)
    ) <= ${unusedKeysMax}
    order by i.id, k.public_key
    on conflict do nothing
  `.execute(trx);
}

function keyRows(rows: readonly ArrivalRow[]): string | null {
  if (rows.length === 0) return null;
  return JSON.stringify(rows.map(({ node, keys }) => ({ id: node.instanceId, keys })));
}

async function writeFacts(
  trx: Transaction<Database>,
  { accountId, rows, clock }: ArrivalBatch,
): Promise<Set<string>> {
  const values = rows.flatMap(({ node, facts }) =>
    facts === null
      ? []
      : {
          id: node.instanceId,
          agent_version: facts.agentVersion,
          capability: node.capability,
          observed_address: facts.observedAddress,
          addresses: facts.addresses,
          publicly_reachable: facts.publiclyReachable,
          underlay: facts.underlay,
          families: facts.families,
        },
  );
  if (values.length === 0) return new Set();
  const { rows: written } = await sql<{ id: string; moved: boolean }>`
    update instances i
    set agent_version = f.agent_version,
        capability = f.capability,
        observed_address = f.observed_address,
        addresses = f.addresses,
        publicly_reachable = f.publicly_reachable,
        underlay = f.underlay,
        families = f.families,
        observed_since = case
          when (i.observed_address, i.publicly_reachable)
            is distinct from (f.observed_address, f.publicly_reachable) or i.observed_since is null
          then ${new Date(clock.now())} else i.observed_since end,
        last_heartbeat_at = ${new Date(clock.now())}
    from jsonb_to_recordset(${JSON.stringify(values)}::jsonb) as f(
           id uuid, agent_version text, capability int, observed_address text, addresses jsonb, publicly_reachable boolean,
           underlay jsonb, families jsonb),
         instances before
    where i.id = f.id and before.id = f.id and i.account_id = ${accountId} and i.terminated_at is null
    returning i.id,
      (before.observed_address, before.publicly_reachable, before.addresses, before.underlay)
        is distinct from (i.observed_address, i.publicly_reachable, i.addresses, i.underlay) as moved
  `.execute(trx);
  return new Set(written.filter((row) => row.moved).map((row) => row.id));
}

/** What else a machine says of itself between two hellos. */
const surroundings = [
  { column: 'underlay', of: ({ underlay }: ArrivalRow) => underlay },
  { column: 'pod_slices', of: ({ podSlices }: ArrivalRow) => podSlices },
  { column: 'routing_daemon', of: ({ routingDaemon }: ArrivalRow) => routingDaemon },
] as const;

/** Answers the machines of which one of these is another one now, with where they are. */
async function writeSurroundings(
  trx: Transaction<Database>,
  { accountId, rows }: ArrivalBatch,
  { column, of }: (typeof surroundings)[number],
): Promise<readonly Surrounded[]> {
  const values = rows.flatMap((row) => {
    const said = of(row);
    return said === null ? [] : { id: row.node.instanceId, said };
  });
  if (values.length === 0) return [];
  const { rows: written } = await sql<Surrounded>`
    update instances i
    set ${sql.ref(column)} = f.said
    from jsonb_to_recordset(${JSON.stringify(values)}::jsonb) as f(id uuid, said jsonb)
    where i.id = f.id and i.account_id = ${accountId} and i.terminated_at is null
      and ${sql.ref(`i.${column}`)} is distinct from f.said
    returning i.id as "instanceId", i.observed_address as "observedAddress",
      i.publicly_reachable as "publiclyReachable"
  `.execute(trx);
  return written;
}

/** A machine runs from when its first keys are stored: from then on it can be attached. */
async function startRunning(
  trx: Transaction<Database>,
  { accountId, rows, clock }: ArrivalBatch,
): Promise<Event[]> {
  const { rows: started } = await sql<{ id: string; hostname: string }>`
    update instances i
    set status = 'running', updated_at = ${new Date(clock.now())}, revision = i.revision + 1
    where i.id = any(${rows.map(({ node }) => node.instanceId)}::uuid[]) and i.account_id = ${accountId}
      and i.status in ('pending', 'provisioning')
      and exists (select from node_keys k where k.instance_id = i.id)
    returning i.id, i.hostname
  `.execute(trx);
  const drafts = started.map((instance) =>
    makeEvent(clock, {
      accountId,
      kind: 'system.instance.running',
      severity: 'info',
      instance,
      payload: { instance_id: instance.id, hostname: instance.hostname },
    }),
  );
  return writeEvents(trx, drafts);
}
