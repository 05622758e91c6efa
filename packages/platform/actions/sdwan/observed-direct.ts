// Hubs see where a spoke's leaf interface is: what follows is written as a change like any other.
import type { Change } from '@powernode/core/compile/fleet-index';
import { directSpokesMax } from '@powernode/core/limits';
import { peerModel } from '../../deliver/models.ts';
import type { DirectPlace } from '../../deliver/reports/direct-places.ts';
import type { Trx } from '../context.ts';
import { nextSequence, writeChanges } from '../journal.ts';

/** What was written, for delivery; null when nothing follows. Runs inside the account's scope. */
export async function followDirectPlace(
  trx: Trx,
  place: DirectPlace,
): Promise<{ readonly sequence: number; readonly changes: readonly Change[] } | null> {
  if ((await rewritten(trx, place)) === null) return null;
  await trx.selectFrom('accounts').select('id').where('id', '=', place.accountId).forUpdate().execute();
  // Judged again: somebody may have changed it while this waited for the account's lock.
  const next = await rewritten(trx, place);
  if (next === null) return null;
  const row = await trx
    .updateTable('peers')
    .set(next.columns)
    .where('id', '=', place.peerId)
    .returningAll()
    .executeTakeFirstOrThrow();
  const models = { before: peerModel(next.before), after: peerModel(row) };
  if (models.before.directEndpoint === models.after.directEndpoint) return null;
  const { accountId, networkId } = place;
  const changes: Change[] = [{ kind: 'peer_changed', networkId, ...models }];
  const sequence = await nextSequence(trx, accountId);
  await writeChanges(trx, { accountId, sequence, changes });
  return { sequence, changes };
}

/** The columns that differ from what they should be; null: none. */
async function rewritten(trx: Trx, place: DirectPlace) {
  const before = await trx
    .selectFrom('peers')
    .selectAll()
    .where('account_id', '=', place.accountId)
    .where('id', '=', place.peerId)
    .executeTakeFirst();
  if (before === undefined || before.direct_key !== place.directKey) return null;
  // Some hubs alone would see one place of a NAT that shows each of them another.
  if (before.nat_kind === 'symmetric' && !place.complete) return null;
  const allowed = place.endpoint !== null && (await hasRoom(trx, place));
  const columns = { nat_kind: place.natKind, direct_endpoint: allowed ? place.endpoint : null };
  const same = before.nat_kind === columns.nat_kind && before.direct_endpoint === columns.direct_endpoint;
  return same ? null : { before, columns };
}

/** The network allows direct paths, and not too many other spokes have them. */
async function hasRoom(trx: Trx, place: DirectPlace): Promise<boolean> {
  const row = await trx
    .selectFrom('networks as n')
    .leftJoin('peers as p', (join) =>
      join
        .onRef('p.network_id', '=', 'n.id')
        .on('p.direct_endpoint', 'is not', null)
        .on('p.id', '!=', place.peerId),
    )
    .select((eb) => ['n.direct_paths', eb.fn.count<number>('p.id').as('others')])
    .where('n.id', '=', place.networkId)
    .groupBy('n.id')
    .executeTakeFirst();
  return row !== undefined && row.direct_paths && row.others < directSpokesMax;
}
