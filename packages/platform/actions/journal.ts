// The account's numbered changes: whoever writes what networks should be from here on takes the next number, and leaves
// what follows under it. Both in the transaction of the rows.
import type { Change } from '@powernode/core/compile/fleet-index';
import type { Event } from '@powernode/core/intent/fleet';
import { changesReadMax } from '@powernode/core/limits/node-stream';
import { changeNodesMax } from '@powernode/core/limits/requests';
import { sql, type Transaction } from 'kysely';
import type { Database } from '../store/tables.ts';

type Trx = Transaction<Database>;

/** Takes the account's lock with it. */
export async function nextSequence(trx: Trx, accountId: string): Promise<number> {
  const row = await trx
    .updateTable('accounts')
    .set({ change_sequence: sql<number>`change_sequence + 1` })
    .where('id', '=', accountId)
    .returning('change_sequence')
    .executeTakeFirstOrThrow();
  return row.change_sequence;
}

/** Undoes `nextSequence` in its transaction, which has written nothing under the number. */
export async function giveBackSequence(trx: Trx, accountId: string): Promise<void> {
  await trx
    .updateTable('accounts')
    .set({ change_sequence: sql<number>`change_sequence - 1` })
    .where('id', '=', accountId)
    .execute();
}

/** Why there is a change: what made it, and who. */
export interface Origin {
  readonly action: string;
  readonly actor: Event['actor'];
}

interface Written {
  readonly accountId: string;
  readonly sequence: number;
  readonly changes: readonly Change[];
  readonly at: Date;
  readonly origin: Origin;
  readonly correlationId: string;
  /** The machines whose documents they alter. */
  readonly reached: ReadonlySet<string>;
}

export async function writeChanges(trx: Trx, of: Written): Promise<void> {
  const { accountId, sequence, changes, origin, reached } = of;
  const kept = nodesKept(changes, reached);
  await trx
    .insertInto('changes')
    .values({
      account_id: accountId,
      sequence,
      at: of.at,
      changes: JSON.stringify(changes),
      action: origin.action,
      actor: JSON.stringify(origin.actor),
      correlation_id: of.correlationId,
      networks: [...new Set(changes.map(networkOf))],
      node_count: reached.size,
      is_wide: kept.size < reached.size,
    })
    .execute();
  if (kept.size === 0) return;
  await sql`
    insert into change_nodes (account_id, sequence, instance_id)
    select ${accountId}::uuid, ${sequence}::bigint, unnest(${[...kept]}::uuid[])
  `.execute(trx);
}

/** The changes after one number, that one not included. */
export async function changesAfter(trx: Trx, accountId: string, sequence: number): Promise<Change[]> {
  const rows = await trx
    .selectFrom('changes')
    .select('changes')
    .where('account_id', '=', accountId)
    .where('sequence', '>', sequence)
    .orderBy('sequence')
    .limit(changesReadMax)
    .execute();
  return rows.flatMap(({ changes }) => changes);
}

/**
 * Of a change that reached more than are kept, those that it is about; the others follow from its networks. After a
 * network is deleted nothing says any more who was in it, so then all are kept.
 */
function nodesKept(changes: readonly Change[], reached: ReadonlySet<string>): ReadonlySet<string> {
  if (reached.size <= changeNodesMax || changes.some(({ kind }) => kind === 'network_deleted'))
    return reached;
  const named = changes.flatMap((change) =>
    change.kind === 'peer_changed' ? [change.before?.instanceId, change.after?.instanceId] : [],
  );
  return new Set(
    named.flatMap((id) => (id !== undefined && reached.has(id) ? [id] : [])).slice(0, changeNodesMax),
  );
}

function networkOf(change: Change): string {
  return 'network' in change ? change.network.id : change.networkId;
}
