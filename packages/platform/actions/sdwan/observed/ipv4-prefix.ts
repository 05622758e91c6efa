// A machine was seen in other surroundings than before: the IPv4 prefix of a network may cover something of them by now.
// Then the IPv4 prefix is withdrawn from that machine, as it is refused to one that joins with such a conflict (networks/attach-blocks.ts),
// and given back to it once the conflict is over.
import { ipv4PrefixQuarantineMs } from '@powernode/core/limits/overlay';
import type { ActionContext } from '../../context.ts';
import { ipv4PrefixRefusal } from '../networks/attach-blocks.ts';
import { firstCovered, type NamedUnderlay, underlaysOf } from '../networks/underlay.ts';
import { releaseAddresses, takeIpv4Address } from '../peers/allocation.ts';
import { beforeAndAfter, writePeer } from '../peers/write-peer.ts';
import { type NetworkRow, networkRow, type PeerRow } from '../rows.ts';

interface Turned {
  readonly peer: PeerRow;
  readonly network: NetworkRow;
  /** Why it may not have an address of the IPv4 prefix; null: nothing is in the way any more. */
  readonly refused: string | null;
}

/** Answers in how long a prefix can be given back whose conflict is over already; null: there is none. */
export async function followIpv4Prefixes(context: ActionContext, instanceId: string): Promise<number | null> {
  const before = await look(context, instanceId);
  if (before.turned.length === 0) return before.waitMs;
  // Read again under the account's lock: somebody may have changed them meanwhile.
  await context.lock();
  const { turned, waitMs } = await look(context, instanceId);
  for (const one of turned) {
    if (one.refused === null) await giveBack(context, one);
    else await withdraw(context, one, one.refused);
  }
  return waitMs;
}

interface Look {
  /** Peers of the machine that have what they may not, or may have what they have not. */
  readonly turned: readonly Turned[];
  readonly waitMs: number | null;
}

async function look(context: ActionContext, instanceId: string): Promise<Look> {
  const { trx, accountId } = context;
  const peers = await trx
    .selectFrom('peers')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('instance_id', '=', instanceId)
    .orderBy('id')
    .execute();
  if (peers.length === 0) return { turned: [], waitMs: null };
  const own = peers.flatMap((peer) => peer.ipv4_address ?? []);
  const machines = (await underlaysOf(trx, { accountId, instanceId })).map((one) => withoutOverlay(one, own));
  const turned: Turned[] = [];
  const waits: number[] = [];
  for (const peer of peers) {
    const network = await networkRow(context, peer.network_id);
    const { ipv4_prefix: ipv4Prefix } = network;
    if (ipv4Prefix === null) continue;
    const covered = firstCovered(ipv4Prefix, machines);
    const refused = covered === null ? null : ipv4PrefixRefusal(ipv4Prefix, covered);
    if (peer.ipv4_address !== null && refused !== null) turned.push({ peer, network, refused });
    else if (peer.ipv4_refused !== null && refused === null) {
      const leftMs = quarantineLeftMs(context, peer);
      if (leftMs > 0) waits.push(leftMs);
      else turned.push({ peer, network, refused });
    }
  }
  return { turned, waitMs: waits.length === 0 ? null : Math.min(...waits) };
}

/** A stream that comes through the overlay shows addresses of the overlay, and nothing of the surroundings. */
function withoutOverlay(machine: NamedUnderlay, own: readonly string[]): NamedUnderlay {
  if (machine.observedAddress === null || !own.includes(machine.observedAddress)) return machine;
  const facts = machine.facts.filter(({ kind }) => kind !== 'platform');
  return { ...machine, facts, observedAddress: null };
}

/** Each turn reaches all members: a machine whose surroundings come and go does not make them follow. */
function quarantineLeftMs({ now }: ActionContext, { ipv4_refused_at: since }: PeerRow): number {
  return since === null ? 0 : since.getTime() + ipv4PrefixQuarantineMs - now.getTime();
}

async function withdraw(context: ActionContext, { peer }: Turned, refused: string): Promise<void> {
  await releaseAddresses(context, {
    networkId: peer.network_id,
    ownerId: peer.instance_id,
    addresses: [peer.ipv4_address],
  });
  await write(context, peer, {
    kind: 'sdwan.peer.ipv4_withdrawn',
    detail: refused,
    columns: { ipv4_address: null, ipv4_refused: refused, ipv4_refused_at: context.now },
  });
}

async function giveBack(context: ActionContext, { peer, network }: Turned): Promise<void> {
  const address = await takeIpv4Address(context, { network, ownerId: peer.instance_id });
  await write(context, peer, {
    kind: 'sdwan.peer.ipv4_given_back',
    detail: `Nothing on the instance overlaps ${network.ipv4_prefix} any more.`,
    columns: { ipv4_address: address, ipv4_refused: null, ipv4_refused_at: null },
  });
}

async function write(
  context: ActionContext,
  before: PeerRow,
  turn: {
    readonly kind: string;
    readonly detail: string;
    readonly columns: Pick<PeerRow, 'ipv4_address' | 'ipv4_refused' | 'ipv4_refused_at'>;
  },
): Promise<void> {
  const after = await writePeer(context, before, turn.columns);
  context.event(
    turn.kind,
    { ...(await beforeAndAfter(context, { before, after })), detail: turn.detail },
    turn.columns.ipv4_refused === null ? 'info' : 'warning',
  );
}
