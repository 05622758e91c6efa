// Whether a network's blocks and routes fit a machine that is to be attached: all but the IPv4 prefix have to; that moves out of the way
// while nobody has an address of it, and else the machine does without it.
import { ProductError } from '@powernode/core/errors';
import { parsePrefix } from '@powernode/core/net/prefix';
import { takenBySubnet } from '@powernode/core/net/underlay';
import type { ActionContext } from '../../context.ts';
import type { InstanceRow, NetworkRow } from '../rows.ts';
import { chooseOtherIpv4Prefix } from './blocks.ts';
import { exchangeIpv4Prefix } from './ipv4-prefix.ts';
import { accountAsNumber, networkModel } from './model.ts';
import { showNetworks } from './present-network.ts';
import {
  type CoveredMachine,
  coveredSentence,
  firstCovered,
  type NamedUnderlay,
  underlaysOf,
} from './underlay.ts';

export interface FittingNetwork {
  /** As it is by now. */
  readonly network: NetworkRow;
  /** Why the machine gets no IPv4 address; null: nothing is in the way of one. */
  readonly ipv4Refused: string | null;
}

export async function fitNetwork(
  context: ActionContext,
  { network, instance }: { readonly network: NetworkRow; readonly instance: InstanceRow },
): Promise<FittingNetwork> {
  const { trx, accountId } = context;
  const machine = await underlaysOf(trx, { accountId, instanceId: instance.id });
  const covered = firstCovered(network.prefix, machine);
  if (covered !== null) {
    const message = coveredSentence(network.prefix, covered);
    throw new ProductError(
      'conflict',
      `The prefix ${message}, which it would lose. Attach it to a network with another prefix.`,
      {
        fields: [{ path: 'node_instance_id', code: 'covers_underlay', message }],
        members: { node_instance_id: instance.id, address: covered.at },
      },
    );
  }
  refuseTakenByRoutes(machine, await routesOf(context, network));
  if (network.ipv4_prefix === null) return { network, ipv4Refused: null };
  const inTheWay = firstCovered(network.ipv4_prefix, machine);
  if (inTheWay === null) return { network, ipv4Refused: null };
  const moved = await moveIpv4Prefix(context, network);
  if (moved !== null) return { network: moved, ipv4Refused: null };
  return { network, ipv4Refused: ipv4PrefixRefusal(network.ipv4_prefix, inTheWay) };
}

/** A route that every member gets, whoever it leads to. */
interface RouteOfAll {
  readonly prefix: string;
  /** What it is, as the beginning of a sentence. */
  readonly what: string;
  /** What to do instead, without a full stop. */
  readonly advice: string;
}

/** To LANs behind peers, and to pods: slices of theirs are routes as those to LANs are. */
async function routesOf(context: ActionContext, network: NetworkRow): Promise<RouteOfAll[]> {
  const { pod_subnet_prefix: pods } = network;
  const lans = await context.trx
    .selectFrom('subnet_advertisements as s')
    .innerJoin('peers as p', 'p.id', 's.peer_id')
    .innerJoin('instances as i', 'i.id', 'p.instance_id')
    .select(['s.prefix', 'i.hostname'])
    .where('s.network_id', '=', network.id)
    .where('s.account_id', '=', context.accountId)
    .where('s.source', '<>', 'pod_subnet')
    .where('s.withdrawn_at', 'is', null)
    .orderBy('s.id')
    .execute();
  return [
    ...(pods === null
      ? []
      : [
          {
            prefix: pods,
            what: `The pod_subnet_prefix ${pods}`,
            advice: 'Attach it to a network with other pods',
          },
        ]),
    ...lans.map(({ prefix, hostname }) => ({
      prefix,
      what: `The subnet ${prefix} behind "${hostname}"`,
      advice: 'Withdraw that subnet or give it another prefix, or attach the instance to another network',
    })),
  ];
}

function refuseTakenByRoutes(machine: readonly NamedUnderlay[], routes: readonly RouteOfAll[]): void {
  for (const { prefix: text, what, advice } of routes) {
    const prefix = parsePrefix(text);
    if (prefix === null) throw new Error(`the prefix "${text}" cannot be read`);
    for (const one of machine) {
      const taken = takenBySubnet(prefix, one);
      if (taken === null) continue;
      const covers = `covers ${taken.at}, ${taken.what} of the instance "${one.hostname}"`;
      throw new ProductError('conflict', `${what} ${covers}, which it would lose. ${advice}.`, {
        fields: [{ path: 'node_instance_id', code: 'covers_underlay', message: `${text} ${covers}` }],
        members: { node_instance_id: one.instanceId, address: taken.at },
      });
    }
  }
}

/** Why a machine has no address of the IPv4 prefix. */
export function ipv4PrefixRefusal(ipv4Prefix: string, covered: CoveredMachine): string {
  const sentence = coveredSentence(ipv4Prefix, covered);
  return `${sentence}, so it has no IPv4 address in this network. Give the network another ipv4_prefix.`;
}

/** Another IPv4 prefix that suits all machines of the account; null: there is none, or this one was given or asked for. */
async function moveIpv4Prefix(context: ActionContext, before: NetworkRow): Promise<NetworkRow | null> {
  const { trx, accountId } = context;
  if (!before.ipv4_chosen || (await isGiven(context, before.id))) return null;
  const others = await trx
    .selectFrom('networks')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('id', '<>', before.id)
    .execute();
  const ipv4Prefix = await chooseOtherIpv4Prefix(context, {
    others: [...others, { ...before, ipv4_prefix: null }],
    machines: await underlaysOf(trx, { accountId }),
  });
  if (ipv4Prefix === null) return null;
  const after = await trx
    .updateTable('networks')
    .set({ ...ipv4Prefix, updated_at: context.now, revision: before.revision + 1 })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const asNumber = await accountAsNumber(trx, accountId);
  context.change({ kind: 'network_updated', network: networkModel(after, asNumber) });
  await exchangeIpv4Prefix(context, { before, after });
  const [shownBefore, shownAfter] = await showNetworks(context, [before, after]);
  context.event('sdwan.network.updated', { before: shownBefore, after: shownAfter });
  return after;
}

/** Whether anything in the network has an address of its IPv4 prefix. */
async function isGiven(context: ActionContext, networkId: string): Promise<boolean> {
  for (const table of ['peers', 'virtual_ips', 'user_devices'] as const) {
    const row = await context.trx
      .selectFrom(table)
      .select('id')
      .where('network_id', '=', networkId)
      .where('ipv4_address', 'is not', null)
      .limit(1)
      .executeTakeFirst();
    if (row !== undefined) return true;
  }
  return false;
}
