// Where rows of prefixes behind peers are written, whatever their source: their revision rises, and nodes are told what
// follows.
import type { Updateable } from 'kysely';
import type { Database } from '../../../store/tables.ts';
import type { ActionContext } from '../../context.ts';
import { itemChanged } from '../item-changed.ts';
import type { PeerRow } from '../rows.ts';
import { type SubnetRow, subnetModel } from './model.ts';

type Advertised = Pick<
  SubnetRow,
  'source' | 'slice_source' | 'local_prefix' | 'description' | 'preference' | 'source_nat'
>;

/** A peer that had the prefix before, from another source too, has the same object again. */
export async function advertise(
  context: ActionContext,
  peer: Pick<PeerRow, 'id' | 'network_id'>,
  { prefix, ...columns }: Advertised & Pick<SubnetRow, 'prefix'>,
): Promise<SubnetRow> {
  const present = { ...columns, withdrawn_at: null };
  const after = await context.trx
    .insertInto('subnet_advertisements')
    .values({
      id: context.services.newId(),
      account_id: context.accountId,
      network_id: peer.network_id,
      peer_id: peer.id,
      prefix,
      ...present,
    })
    .onConflict((conflict) =>
      conflict.columns(['peer_id', 'prefix']).doUpdateSet((eb) => ({
        ...present,
        updated_at: context.now,
        revision: eb('subnet_advertisements.revision', '+', 1),
      })),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  itemChanged(context, subnetModel, { before: null, after });
  return after;
}

export async function writeSubnet(
  context: ActionContext,
  before: SubnetRow,
  columns: Omit<Updateable<Database['subnet_advertisements']>, 'id' | 'revision' | 'updated_at'>,
): Promise<SubnetRow> {
  const after = await context.trx
    .updateTable('subnet_advertisements')
    .set({ ...columns, updated_at: context.now, revision: before.revision + 1 })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  itemChanged(context, subnetModel, { before, after });
  return after;
}
