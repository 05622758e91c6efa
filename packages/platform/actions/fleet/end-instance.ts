// The end of a machine: its peers, keys and certificate go, and so does its stream. By an operator's word, or its own.
import type { Instance } from '@powernode/core/intent/fleet';
import { endOperationsAbout } from '../../coordination/operations/rows.ts';
import type { ActionContext } from '../context.ts';
import { noteDependents } from '../sdwan/dependents.ts';
import { removePeer } from '../sdwan/peers/peers.ts';
import type { InstanceRow } from '../sdwan/rows.ts';
import { showInstance } from './present.ts';

export async function endInstance(context: ActionContext, before: InstanceRow): Promise<Instance> {
  const shownBefore = await showInstance(context, before);
  const peers = await context.trx
    .selectFrom('peers')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('instance_id', '=', before.id)
    .orderBy('id')
    .execute();
  await noteDependents(context, { peers, isForGood: true });
  for (const peer of peers) await removePeer(context, peer, { terminated: true });
  await endOperationsAbout(context, { subjectId: before.id }, 'The instance was terminated.');
  await context.trx.deleteFrom('node_keys').where('instance_id', '=', before.id).execute();
  // One that never came must not come any more.
  await context.trx
    .updateTable('join_tokens')
    .set((token) => ({
      revoked_at: context.now,
      updated_at: context.now,
      revision: token('revision', '+', 1),
    }))
    .where('instance_id', '=', before.id)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .execute();
  await context.trx.deleteFrom('tunnel_observations').where('instance_id', '=', before.id).execute();
  const after = await context.trx
    .updateTable('instances')
    .set({
      status: 'terminated',
      terminated_at: context.now,
      certificate_serial: null,
      updated_at: context.now,
      revision: before.revision + 1,
    })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const instance = await showInstance(context, after);
  context.event('system.instance.terminated', { before: shownBefore, after: instance });
  context.whenCommitted(() => context.services.deliverer.instanceEnded(context.accountId, before.id));
  return instance;
}
