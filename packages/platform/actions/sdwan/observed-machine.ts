// A machine was seen elsewhere than before: what follows from it for its peers is written as a change like any other.
import type { Change } from '@powernode/core/compile/fleet-index';
import { peerModel } from '../../deliver/models.ts';
import type { Trx } from '../context.ts';
import { nextSequence, writeChanges } from '../journal.ts';
import { takeHubSlotIn } from './peer-allocation.ts';
import { reachOf } from './reach.ts';
import { type PeerRow } from './rows.ts';

export interface ObservedMachine {
  readonly accountId: string;
  readonly instanceId: string;
  readonly observedAddress: string | null;
  readonly publiclyReachable: boolean;
}

/** What was written, for delivery; null when nothing follows. Runs inside the account's scope. */
export async function followObservation(
  trx: Trx,
  machine: ObservedMachine,
): Promise<{ readonly sequence: number; readonly changes: readonly Change[] } | null> {
  const peers = await trx
    .selectFrom('peers')
    .selectAll()
    .where('account_id', '=', machine.accountId)
    .where('instance_id', '=', machine.instanceId)
    .execute();
  if (!peers.some((peer) => differs(peer, machine))) return null;
  const { accountId } = machine;
  const sequence = await nextSequence(trx, accountId);
  const changes: Change[] = [];
  // Read again: somebody may have changed them while this waited for the account's lock.
  const locked = await trx
    .selectFrom('peers')
    .selectAll()
    .where('account_id', '=', machine.accountId)
    .where('instance_id', '=', machine.instanceId)
    .orderBy('id')
    .execute();
  for (const peer of locked) if (differs(peer, machine)) changes.push(await rewrite(trx, peer, machine));
  await writeChanges(trx, { accountId, sequence, changes });
  return { sequence, changes };
}

function reach(peer: PeerRow, machine: ObservedMachine) {
  return reachOf({
    declared: peer.publicly_reachable,
    endpointAddress: peer.endpoint_address,
    listenPort: peer.listen_port,
    observedAddress: machine.observedAddress,
    detected: machine.publiclyReachable,
  });
}

function differs(peer: PeerRow, machine: ObservedMachine): boolean {
  const now = reach(peer, machine);
  return now.endpoint !== peer.endpoint || now.hub !== (peer.hub_slot !== null);
}

async function rewrite(trx: Trx, before: PeerRow, machine: ObservedMachine): Promise<Change> {
  const now = reach(before, machine);
  const after = await trx
    .updateTable('peers')
    .set({
      endpoint: now.endpoint,
      hub_slot: now.hub ? (before.hub_slot ?? (await takeHubSlotIn(trx, before.network_id))) : null,
      updated_at: new Date(),
      revision: before.revision + 1,
    })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return {
    kind: 'peer_changed',
    networkId: before.network_id,
    before: peerModel(before),
    after: peerModel(after),
  };
}
