// Hubs see where a spoke's leaf interface is: what follows is written as a change like any other.
import { directSpokesMax } from '@powernode/core/limits/overlay';
import { parseAddress } from '@powernode/core/net/address';
import { endpointRefusal, isPubliclyRoutable } from '@powernode/core/net/special-addresses';
import type { DirectPlace } from '../../../deliver/reports/direct-places.ts';
import type { ActionContext, Trx } from '../../context.ts';
import { overlayPrefixes } from '../peers/endpoint-checks.ts';
import { peerModel } from '../peers/model.ts';
import { addressOf } from '../reachability/reach.ts';

/** Writes what follows for the peer. Nothing else ever does, so that nobody has to look again. */
export async function followDirectPlace(context: ActionContext, place: DirectPlace): Promise<null> {
  const { trx } = context;
  if ((await rewritten(trx, place)) === null) return null;
  await context.lock();
  // Evaluated again: somebody may have changed it while this waited for the account's lock.
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
  context.change({ kind: 'peer_changed', networkId: place.networkId, ...models });
  return null;
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
  const allowed =
    place.endpoint !== null &&
    (await isConfirmed(trx, { ...place, instanceId: before.instance_id, endpoint: place.endpoint })) &&
    (await hasRoom(trx, place));
  const columns = { nat_kind: place.natKind, direct_endpoint: allowed ? place.endpoint : null };
  const same = before.nat_kind === columns.nat_kind && before.direct_endpoint === columns.direct_endpoint;
  return same ? null : { before, columns };
}

/**
 * Whether other machines may be told to call a spoke where hubs say that it is. One hub alone could send them anywhere, so
 * its word counts where the platform sees the machine at that address too, or the machine has it. Without that two hubs
 * have to agree, and only where the platform cannot know better: it sees the machine inside of a site, or by the other
 * family. Never an address that is none for other machines, or that is inside of an overlay.
 */
export async function isConfirmed(
  trx: Trx,
  place: {
    readonly accountId: string;
    readonly instanceId: string;
    readonly endpoint: string;
    readonly seenBy: number;
  },
): Promise<boolean> {
  const overlays = await overlayPrefixes(trx, place.accountId);
  if (endpointRefusal(place.endpoint, overlays) !== null) return false;
  const machine = await trx
    .selectFrom('instances')
    .select(['observed_address', 'addresses'])
    .where('account_id', '=', place.accountId)
    .where('id', '=', place.instanceId)
    .executeTakeFirst();
  const address = addressOf(place.endpoint);
  if (machine === undefined) return false;
  const { observed_address: seen, addresses } = machine;
  if (seen === address || addresses.includes(address)) return true;
  const observed = seen === null ? null : parseAddress(seen);
  const knowsBetter =
    observed !== null && isPubliclyRoutable(observed) && observed.family === parseAddress(address)?.family;
  return place.seenBy > 1 && !knowsBetter;
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
