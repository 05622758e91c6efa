// What is known of a session of BGP and of the two peers that have it, for whoever looks for a fault.
import { ProductError } from '@powernode/core/errors';
import type { BgpState } from '@powernode/core/intent/bgp';
import { asNumberChangeMs, bgpPort } from '@powernode/core/limits/routing';
import type { NodeProblem } from '@powernode/core/wire/node-problems';
import { sql } from 'kysely';
import type { ActionContext } from '../../context.ts';
import { problemsOfPeers } from '../../fleet/problems.ts';
import { explainReachability } from '../../sdwan/firewall/explain.ts';
import { peerNames } from '../../sdwan/peers/peer-names.ts';
import { explainRouteTo } from '../../sdwan/routing/routes.ts';
import { type SessionEnd, sessionEndsOf, sessionIdOf } from '../../sdwan/routing/session-ends.ts';
import { indexesOf, type KnownSession, sessionsOf } from '../../sdwan/routing/sessions.ts';
import { networkRow } from '../../sdwan/rows.ts';

export interface SessionFacts {
  readonly session: KnownSession;
  readonly state: BgpState;
  readonly network: { readonly id: string; readonly name: string; readonly isStatic: boolean };
  readonly own: End;
  readonly other: End;
  /** When the AS number of the account was changed, if that was a moment ago. */
  readonly numberChangedAt: Date | null;
  /** Why packets from one end do not come to the other; null: nothing keeps them, or it is established. */
  readonly noRoute: string | null;
  /** Prefixes of the neighbor that policies deny. */
  readonly denied: readonly string[];
}

/** One of the two peers. */
export interface End {
  readonly name: string;
  readonly address: string;
  readonly unreachable: string | null;
  readonly isConnected: boolean;
  readonly problems: readonly NodeProblem[];
}

/** Of any network of the account, also of one whose routes are static. */
export async function sessionEndOf(context: ActionContext, sessionId: string): Promise<SessionEnd> {
  for (const index of await indexesOf(context, undefined)) {
    for (const end of sessionEndsOf(index)) if (sessionIdOf(end) === sessionId) return end;
  }
  throw new ProductError('not_found', `There is no BGP session ${sessionId}. List the existing ones first.`);
}

export async function sessionFactsOf(
  context: ActionContext,
  { peer, neighbor }: SessionEnd,
): Promise<SessionFacts> {
  const { deliverer } = context.services;
  const network = await networkRow(context, peer.networkId);
  const of = { network_id: network.id, peer_id: peer.id };
  const found = (await sessionsOf(context, of)).find((one) => one.neighbor.id === neighbor.id);
  const session = found ?? { peer, neighbor, row: null, reset: null };
  const names = await peerNames(context, [peer.id, neighbor.id]);
  const problems = await problemsOfPeers(context, network.id);
  const end = (one: SessionEnd['peer']): End => {
    const { reachable, because } = deliverer.peerPresence(one.id);
    return {
      name: names.get(one.id) ?? one.id,
      address: one.hostAddress,
      unreachable: reachable === false ? (because?.detail ?? 'It is not reachable.') : null,
      isConnected: deliverer.nodeDelivery(one.instanceId).connected,
      problems: problems.get(one.id) ?? [],
    };
  };
  const state = session.row?.state ?? 'Idle';
  return {
    session,
    state,
    network: { id: network.id, name: network.name, isStatic: network.routing_mode === 'static' },
    own: end(peer),
    other: end(neighbor),
    numberChangedAt: await numberChangedAt(context),
    noRoute:
      found === undefined || state === 'Established' ? null : await noRouteOf(context, { peer, neighbor }),
    denied: state === 'Established' ? await deniedOf(context, { peer, neighbor }) : [],
  };
}

/** As the explanation of a connection to TCP port 179 has it, in either direction. */
async function noRouteOf(context: ActionContext, { peer, neighbor }: SessionEnd): Promise<string | null> {
  for (const [source, destination] of [
    [peer, neighbor],
    [neighbor, peer],
  ] as const) {
    const { verdict, because } = await explainReachability(context, {
      network_id: peer.networkId,
      source: { peer_id: source.id },
      destination: { peer_id: destination.id },
      protocol: 'tcp',
      port: bgpPort,
    });
    if (verdict === 'no_route') return because.at(-1)?.detail ?? 'No peer forwards them.';
  }
  return null;
}

async function numberChangedAt(context: ActionContext): Promise<Date | null> {
  const since = new Date(context.now.getTime() - asNumberChangeMs);
  const row = await context.trx
    .selectFrom('events')
    .select(sql<Date>`max(at)`.as('at'))
    .where('account_id', '=', context.accountId)
    .where('kind', '=', 'sdwan.account_bgp.updated')
    .where('at', '>', since)
    .executeTakeFirst();
  return row?.at ?? null;
}

async function deniedOf(context: ActionContext, { peer, neighbor }: SessionEnd): Promise<string[]> {
  const rows = await context.trx
    .selectFrom('subnet_advertisements')
    .select('prefix')
    .where('account_id', '=', context.accountId)
    .where('peer_id', '=', neighbor.id)
    .where('withdrawn_at', 'is', null)
    .orderBy('id')
    .execute();
  const denied: string[] = [];
  for (const { prefix } of rows) {
    const paths = await explainRouteTo(context, { peerId: peer.id, prefix });
    const path = paths.find(({ via_peer_id: via }) => via === neighbor.id);
    if (path?.policies.some(({ effect }) => effect === 'denies') === true) denied.push(prefix);
  }
  return denied;
}
