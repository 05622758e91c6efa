// Events of devices whose configuration the change under way makes outdated: one for each network or hub that changes,
// however many devices are there.
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import { namedInEventMax } from '@powernode/core/limits/overlay';
import type { ActionContext } from '../../context.ts';
import { configFacts, staleReason } from './config.ts';
import { addressesOf, type Homes, homesOf } from './homes.ts';
import type { UserDeviceRow } from './model.ts';

/** What devices were given before the change. */
interface Before {
  readonly network: NetworkModel;
  /** null: the hub of each device, which did not change. */
  readonly hub: PeerModel | null;
}

export async function reportStaleDevices(context: ActionContext): Promise<void> {
  const addressesBefore = addressesBeforeChange(context);
  const reported = new Set<string>();
  for (const before of beforeOf(context)) {
    const devices = await devicesOf(context, before);
    if (devices.length === 0) continue;
    const homes = await homesOf(context.trx, { accountId: context.accountId, devices });
    const stale = devices.filter(
      (device) =>
        !reported.has(device.id) &&
        homes.staleReason(device) !== null &&
        !wasStale(device, { before, homes, addressesBefore }),
    );
    const [first] = stale;
    if (first === undefined) continue;
    for (const device of stale) reported.add(device.id);
    context.event(
      'sdwan.user_device.stale',
      {
        network_id: first.network_id,
        count: stale.length,
        user_device_ids: stale.slice(0, namedInEventMax).map((device) => device.id),
        reason: homes.staleReason(first),
      },
      'warning',
    );
  }
}

function beforeOf(context: ActionContext): Before[] {
  const networkNow = (id: string) => context.services.deliverer.network(id)?.network;
  return context.changes.flatMap((change): Before[] => {
    // What is in memory does not know of this transaction yet.
    if (change.kind === 'network_updated') {
      const network = networkNow(change.network.id);
      return network === undefined ? [] : [{ network, hub: null }];
    }
    if (change.kind !== 'peer_changed' || change.before === null || change.before.hubSlot === null) return [];
    const network = networkNow(change.networkId);
    return network === undefined ? [] : [{ network, hub: change.before }];
  });
}

/** By device: what it was called by, where the change under way gives it other addresses. */
function addressesBeforeChange(context: ActionContext): ReadonlyMap<string, readonly string[]> {
  return new Map(
    context.changes.flatMap((change) =>
      change.kind === 'item_changed' && change.before?.type === 'user_device'
        ? [[change.before.id, change.before.addresses] as const]
        : [],
    ),
  );
}

function devicesOf(context: ActionContext, { network, hub }: Before): Promise<UserDeviceRow[]> {
  const query = context.trx
    .selectFrom('user_devices')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('network_id', '=', network.id)
    .where('revoked_at', 'is', null)
    .orderBy('id');
  return (hub === null ? query : query.where('hub_peer_id', '=', hub.id)).execute();
}

function wasStale(
  device: UserDeviceRow,
  {
    before,
    homes,
    addressesBefore,
  }: {
    readonly before: Before;
    readonly homes: Homes;
    readonly addressesBefore: ReadonlyMap<string, readonly string[]>;
  },
): boolean {
  const hub = before.hub ?? homes.hub(device)?.model;
  const facts = configFacts(before.network, hub, {
    addresses: addressesBefore.get(device.id) ?? addressesOf(device),
    choice: { digest: device.config_digest },
  });
  return staleReason(device.config_digest, { hub, facts }) !== null;
}
