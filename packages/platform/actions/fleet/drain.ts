// Handler: a machine is drained before maintenance. Spokes leave it as a hub while it still forwards, and virtual IPs
// go to their next holder; it stays in its networks, and takes work again when that is asked for.
import { ProductError } from '@powernode/core/errors';
import { beginOperation, endOperationsAbout, openOperation } from '../../coordination/operations/rows.ts';
import { type ActionContext, checkRevision, type Handler } from '../context.ts';
import { peerNames } from '../sdwan/peers/peer-names.ts';
import { writePeer } from '../sdwan/peers/write-peer.ts';
import { type InstanceRow, instanceRow, type PeerRow } from '../sdwan/rows.ts';
import { bestCandidate, termsOfHolder } from '../sdwan/virtual-ips/fitness.ts';
import { revokeAddress } from '../sdwan/virtual-ips/moves.ts';
import { drainOperation } from './drain-operation.ts';
import { showInstance } from './present.ts';

interface Moved {
  readonly object: string;
  readonly id: string;
  readonly detail: string;
}

export const drainInstance: Handler<'drainInstance'> = async (context, input) => {
  const sequence = await context.lock();
  const before = await instanceRow(context, input.instance_id);
  checkRevision(before, input);
  const wanted = input.drain ? 'draining' : 'running';
  if (before.status !== 'running' && before.status !== 'draining') {
    throw new ProductError(
      'conflict',
      `The instance "${before.hostname}" is ${before.status}; only a running instance can be drained.`,
    );
  }
  if (before.status === wanted) {
    const operation = await openOperation(context, drainOperation.name, before.id);
    return { instance: await showInstance(context, before), moves: [], operation_id: operation };
  }
  const shownBefore = await showInstance(context, before);
  const peers = await markPeers(context, before, input.drain);
  const moves: Moved[] = [];
  for (const peer of peers) moves.push(...(await hubMoves(context, peer, input.drain)));
  if (input.drain) for (const peer of peers) moves.push(...(await virtualIpMoves(context, before, peer)));
  const after = await context.trx
    .updateTable('instances')
    .set({ status: wanted, updated_at: context.now, revision: before.revision + 1 })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const instance = await showInstance(context, after);
  const kind = input.drain ? 'draining' : 'drain_ended';
  context.event(`system.instance.${kind}`, { before: shownBefore, after: instance, moves });
  const operation = await followed(context, { instance: after, drain: input.drain, sequence });
  return { instance, moves, operation_id: operation };
};

/** Until nothing depends on the machine, an operation looks on. Answers its id. */
async function followed(
  context: ActionContext,
  of: { readonly instance: InstanceRow; readonly drain: boolean; readonly sequence: number },
): Promise<string | null> {
  const { instance, sequence } = of;
  if (!of.drain) {
    const about = { subjectId: instance.id, kind: drainOperation.name };
    await endOperationsAbout(context, about, 'The instance was returned to service.');
    return null;
  }
  const operation = await beginOperation(context, drainOperation, {
    summary: `Drain the instance ${instance.hostname}`,
    subjectId: instance.id,
    input: { instance_id: instance.id, sequence },
  });
  return context.dryRun ? null : operation.id;
}

async function markPeers(
  context: ActionContext,
  instance: InstanceRow,
  draining: boolean,
): Promise<PeerRow[]> {
  const rows = await context.trx
    .selectFrom('peers')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('instance_id', '=', instance.id)
    .orderBy('id')
    .execute();
  const marked: PeerRow[] = [];
  for (const row of rows) {
    marked.push(await writePeer(context, row, { draining }));
  }
  return marked;
}

async function hubMoves(context: ActionContext, peer: PeerRow, draining: boolean): Promise<Moved[]> {
  if (peer.hub_slot === null) return [];
  const network = await context.trx
    .selectFrom('networks')
    .select('name')
    .where('id', '=', peer.network_id)
    .executeTakeFirstOrThrow();
  const others = await context.trx
    .selectFrom('peers')
    .select('id')
    .where('network_id', '=', peer.network_id)
    .where('hub_slot', 'is not', null)
    .where('draining', '=', false)
    .where('id', '!=', peer.id)
    .execute();
  const detail = !draining
    ? `Spokes of ${network.name} use it as a hub again.`
    : others.length === 0
      ? `It stays a hub of ${network.name}: there is no other.`
      : `Spokes of ${network.name} switch to other hubs.`;
  return [{ object: 'hub', id: peer.id, detail }];
}

async function virtualIpMoves(
  context: ActionContext,
  instance: InstanceRow,
  peer: PeerRow,
): Promise<Moved[]> {
  const rows = await context.trx
    .selectFrom('virtual_ips')
    .selectAll()
    .where('network_id', '=', peer.network_id)
    .where('current_holder_peer_id', '=', peer.id)
    .orderBy('id')
    .forUpdate()
    .execute();
  if (rows.length === 0) return [];
  await context.isAbreast();
  const successors = rows.map((row) => bestCandidate(context, row, [peer.id]));
  const names = await peerNames(
    context,
    successors.flatMap((id) => id ?? []),
  );
  const moves: Moved[] = [];
  for (const [i, row] of rows.entries()) {
    const successor = successors[i] ?? null;
    if (successor === null) {
      const detail = `${row.name} stays: no other candidate can hold it now.`;
      moves.push({ object: 'virtual_ip', id: row.id, detail });
      continue;
    }
    const detail = `${row.name} goes to ${names.get(successor) ?? successor}.`;
    await revokeAddress(context, row, {
      successor,
      reason: 'drained',
      detail: `${instance.hostname} is being drained.`,
      terms: await termsOfHolder(context, row),
    });
    moves.push({ object: 'virtual_ip', id: row.id, detail });
  }
  return moves;
}
