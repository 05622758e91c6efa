// Notes of plans: devices whose hub goes.
import type { ActionContext, Departure } from '../../context.ts';

export async function noteDevices(context: ActionContext, of: Departure): Promise<void> {
  const rows = await context.trx
    .selectFrom('user_devices')
    .select(['name', 'hub_peer_id'])
    .where('account_id', '=', context.accountId)
    .where('network_id', 'in', [...of.networks])
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .execute();
  for (const row of rows) {
    const hub = of.byId.get(row.hub_peer_id);
    if (hub === undefined) continue;
    context.note(
      'dependent',
      `The device "${row.name}" calls ${hub.name}: it is disconnected and has to be reissued.`,
    );
  }
}
