// What depends on an object that goes, and what becomes of it: notes of the plan, one sentence each, so that nobody
// learns of it from what has stopped working.
import { addressQuarantineMs } from '@powernode/core/limits/overlay';
import type { ActionContext, Departing } from '../context.ts';
import type { PeerRow } from './rows.ts';
import type { VirtualIpRow } from './virtual-ips/model.ts';

export interface Going {
  readonly peers?: readonly PeerRow[];
  readonly virtualIps?: readonly Pick<VirtualIpRow, 'id' | 'name' | 'network_id'>[];
  readonly devices?: readonly { readonly id: string; readonly name: string; readonly network_id: string }[];
  /** false: it is the same again when it comes back in time. */
  readonly isForGood: boolean;
}

const days = addressQuarantineMs / (24 * 60 * 60 * 1000);

export async function noteDependents(context: ActionContext, going: Going): Promise<void> {
  const gone = await named(context, going);
  if (gone.length === 0) return;
  const networks = [...new Set(gone.map((one) => one.networkId))];
  const byId = new Map(gone.map((one) => [one.id, one]));
  const back = going.isForGood ? '' : ` until it is back, within ${days} days`;
  for (const { dependents } of context.services.nouns) await dependents?.(context, { networks, byId, back });
}

/** A network takes with it all that is in it. */
export async function noteContents(context: ActionContext, networkId: string): Promise<void> {
  for (const { inNetwork } of context.services.nouns) {
    if (inNetwork === undefined) continue;
    const { called, ending = '' } = inNetwork;
    const count = await inNetwork.count(context, networkId);
    if (count === 0) continue;
    const objects = count === 1 ? `One ${called} goes` : `${count} ${called}s go`;
    context.note('dependent', `${objects} with the network${ending}.`);
  }
}

async function named(context: ActionContext, going: Going): Promise<Departing[]> {
  const peers = going.peers ?? [];
  const machines =
    peers.length === 0
      ? []
      : await context.trx
          .selectFrom('instances')
          .select(['id', 'hostname'])
          .where('account_id', '=', context.accountId)
          .where(
            'id',
            'in',
            peers.map((peer) => peer.instance_id),
          )
          .execute();
  const hostnames = new Map(machines.map((machine) => [machine.id, machine.hostname]));
  return [
    ...peers.map((peer) => ({
      id: peer.id,
      name: hostnames.get(peer.instance_id) ?? peer.id,
      networkId: peer.network_id,
    })),
    ...(going.virtualIps ?? []).map(({ id, name, network_id }) => ({
      id,
      name,
      networkId: network_id,
    })),
    ...(going.devices ?? []).map(({ id, name, network_id }) => ({
      id,
      name,
      networkId: network_id,
    })),
  ];
}
