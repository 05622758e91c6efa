// A machine that leaves the fleet by itself (`powernode agent leave`): its instance ends in its own name.

import { inSystemTransaction, type SystemParts } from '../../coordination/system-actor.ts';
import { inAccount } from '../../store/tenancy.ts';
import { endInstance } from './end-instance.ts';

/** Twice is the same as once. */
export async function leaveFleet(
  parts: SystemParts,
  { accountId, instanceId }: { readonly accountId: string; readonly instanceId: string },
): Promise<void> {
  const machine = await inAccount(parts.store, accountId, (trx) =>
    trx.selectFrom('instances').select('hostname').where('id', '=', instanceId).executeTakeFirst(),
  );
  if (machine === undefined) return;
  const actor = { kind: 'instance' as const, id: instanceId, name: machine.hostname };
  const action = 'agent_leave' as const;
  const call = { accountId, action, actor, correlationId: parts.services.newId() };
  await inSystemTransaction(parts, call, async (context) => {
    await context.lock();
    const row = await context.trx
      .selectFrom('instances')
      .selectAll()
      .where('id', '=', instanceId)
      .executeTakeFirstOrThrow();
    if (row.status === 'terminated') return;
    context.event('system.instance.left', { node_instance_id: instanceId, hostname: row.hostname });
    await endInstance(context, row);
  });
}
