// Hubs see where a spoke's leaf interface is: what follows is written as a change like any other.
import { directSpokesMax } from '@powernode/core/limits/overlay';
import { parseAddress } from '@powernode/core/net/address';
import { endpointRefusal, isPubliclyRoutable } from '@powernode/core/net/special-addresses';
import type { DirectEndpoint } from '../../../deliver/reports/direct-endpoints.ts';
import type { ActionContext, Trx } from '../../context.ts';
import { overlayPrefixes } from '../peers/endpoint-checks.ts';
import { peerModel } from '../peers/model.ts';
import { addressOf } from '../reachability/reach.ts';

/** Writes what follows for the peer. Nothing else ever does, so that nobody has to look again. */
export async function followDirectEndpoint(context: ActionContext, direct: DirectEndpoint): Promise<null> {
  const { trx } = context;
  if ((await rewritten(trx, direct)) === null) return null;
  await context.lock();
  // Evaluated again: somebody may have changed it while this waited for the account's lock.
  const next = await rewritten(trx, direct);
  if (next === null) return null;
  const row = await trx
    .updateTable('peers')
    .set(next.columns)
    .where('id', '=', direct.peerId)
    .returningAll()
    .executeTakeFirstOrThrow();
  const models = { before: peerModel(next.before), after: peerModel(row) };
  if (models.before.directEndpoint === models.after.directEndpoint) return null;
  context.change({ kind: 'peer_changed', networkId: direct.networkId, ...models });
  return null;
}

/** The columns that differ from what they should be; null: none. */
async function rewritten(trx: Trx, direct: DirectEndpoint) {
  const before = await trx
    .selectFrom('peers')
    .selectAll()
    .where('account_id', '=', direct.accountId)
    .where('id', '=', direct.peerId)
    .executeTakeFirst();
  if (before === undefined || before.direct_key !== direct.directKey) return null;
  // Some hubs alone would see one endpoint of a NAT that shows each of them another.
  if (before.nat_kind === 'symmetric' && !direct.complete) return null;
  const allowed =
    direct.endpoint !== null &&
    (await isConfirmed(trx, { ...direct, instanceId: before.instance_id, endpoint: direct.endpoint })) &&
    (await hasRoom(trx, direct));
  const columns = { nat_kind: direct.natKind, direct_endpoint: allowed ? direct.endpoint : null };
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
  claim: {
    readonly accountId: string;
    readonly instanceId: string;
    readonly endpoint: string;
    readonly seenBy: number;
  },
): Promise<boolean> {
  const overlays = await overlayPrefixes(trx, claim.accountId);
  if (endpointRefusal(claim.endpoint, overlays) !== null) return false;
  const machine = await trx
    .selectFrom('instances')
    .select(['observed_address', 'addresses'])
    .where('account_id', '=', claim.accountId)
    .where('id', '=', claim.instanceId)
    .executeTakeFirst();
  const address = addressOf(claim.endpoint);
  if (machine === undefined) return false;
  const { observed_address: seen, addresses } = machine;
  if (seen === address || addresses.includes(address)) return true;
  const observed = seen === null ? null : parseAddress(seen);
  const knowsBetter =
    observed !== null && isPubliclyRoutable(observed) && observed.family === parseAddress(address)?.family;
  return claim.seenBy > 1 && !knowsBetter;
}

/** The network allows direct paths, and not too many other spokes have them. */
async function hasRoom(trx: Trx, direct: DirectEndpoint): Promise<boolean> {
  const row = await trx
    .selectFrom('networks as n')
    .leftJoin('peers as p', (join) =>
      join
        .onRef('p.network_id', '=', 'n.id')
        .on('p.direct_endpoint', 'is not', null)
        .on('p.id', '!=', direct.peerId),
    )
    .select((eb) => ['n.direct_paths', eb.fn.count<number>('p.id').as('others')])
    .where('n.id', '=', direct.networkId)
    .groupBy('n.id')
    .executeTakeFirst();
  return row !== undefined && row.direct_paths && row.others < directSpokesMax;
}
