// The skill system-sdwan-bgp-session-remediate: what probably keeps a session from being established, from what is
// known of both ends, and what to do. The first cause that the evidence shows is the answer.

import type { Actions } from '@powernode/core/actions/catalogue';
import type { OutputOf } from '@powernode/core/actions/define';
import { ProductError } from '@powernode/core/errors';
import type { BgpState } from '@powernode/core/intent/bgp';
import { asNumberChangeMs } from '@powernode/core/limits/routing';
import type { NodeProblem } from '@powernode/core/wire/node-problems';
import { sql } from 'kysely';
import type { ActionContext } from '../../context.ts';
import { problemsOfPeers } from '../../fleet/problems.ts';
import { peerNames } from '../../sdwan/peers/peer-names.ts';
import { explainRouteTo } from '../../sdwan/routing/routes.ts';
import { type SessionEnd, sessionEndsOf, sessionIdOf } from '../../sdwan/routing/session-ends.ts';
import { indexesOf, type KnownSession, sessionsOf, shownRefusal } from '../../sdwan/routing/sessions.ts';
import { networkRow } from '../../sdwan/rows.ts';

type Answer = OutputOf<Actions['executeSkill']>;
type Evidence = Answer['evidence'][number];

interface Cause {
  readonly likely_cause: string;
  readonly recommended_action: string;
}

interface Facts {
  readonly session: KnownSession;
  readonly state: BgpState;
  readonly network: { readonly id: string; readonly name: string; readonly isStatic: boolean };
  readonly own: End;
  readonly other: End;
  /** When the AS number of the account was changed, if that was a moment ago. */
  readonly numberChangedAt: Date | null;
  /** Prefixes of the neighbor that policies deny. */
  readonly denied: readonly string[];
}

/** One of the two peers. */
interface End {
  readonly name: string;
  readonly address: string;
  readonly unreachable: string | null;
  readonly isConnected: boolean;
  readonly problems: readonly NodeProblem[];
}

export async function remediateSession(context: ActionContext, sessionId: string): Promise<Answer> {
  const facts = await factsOf(context, await endOf(context, sessionId));
  const cause = causeOf(facts);
  const state = facts.state.toLowerCase();
  return { session_id: sessionId, state, ...cause, evidence: evidenceOf(facts), dry_run: true };
}

/** Of any network of the account, also of one whose routes are static. */
async function endOf(context: ActionContext, sessionId: string): Promise<SessionEnd> {
  for (const index of await indexesOf(context, undefined)) {
    for (const end of sessionEndsOf(index)) if (sessionIdOf(end) === sessionId) return end;
  }
  throw new ProductError('not_found', `There is no BGP session ${sessionId}. List the existing ones first.`);
}

async function factsOf(context: ActionContext, { peer, neighbor }: SessionEnd): Promise<Facts> {
  const { deliverer } = context.services;
  const network = await networkRow(context, peer.networkId);
  const of = { network_id: network.id, peer_id: peer.id };
  const found = (await sessionsOf(context, of)).find((one) => one.neighbor.id === neighbor.id);
  const session = found ?? { peer, neighbor, row: null };
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
    denied: state === 'Established' ? await deniedOf(context, { peer, neighbor }) : [],
  };
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

const daemonCodes: readonly NodeProblem['code'][] = [
  'routing_daemon_missing',
  'routing_daemon_refused',
  'routing_failed',
];

function causeOf(facts: Facts): Cause {
  const { network, own, other, state, session } = facts;
  if (network.isStatic) {
    return {
      likely_cause: `The routing_mode of the network "${network.name}" is static, so its peers have no BGP sessions.`,
      recommended_action: `system_sdwan_update_network { "network_id": "${network.id}", "routing_mode": "ibgp" }`,
    };
  }
  if (state === 'Established') return establishedCause(facts);
  for (const end of [own, other]) {
    const problem = end.problems.find(({ code }) => daemonCodes.includes(code));
    if (problem !== undefined) return daemonCause(end, problem);
  }
  for (const end of [own, other]) {
    if (end.unreachable === null) continue;
    return {
      likely_cause: `${end.name} is not reachable: ${end.unreachable}`,
      recommended_action: `Bring ${end.name} back: check that the instance runs, and its agent (systemctl restart powernode-agent). The session is established by itself then.`,
    };
  }
  if (facts.numberChangedAt !== null) {
    return {
      likely_cause: `The AS number of the account was changed at ${facts.numberChangedAt.toISOString()}; sessions are established again once both ends have it.`,
      recommended_action: 'Wait a minute, then list the sessions again with system_sdwan_get_bgp_sessions.',
    };
  }
  if (session.row === null) {
    return {
      likely_cause: own.isConnected
        ? `${own.name} has not reported the session yet: its agent is still applying the configuration, or is too old to speak BGP.`
        : `${own.name} is not connected to the platform, so that nothing is known of the session.`,
      recommended_action: `Check the problems of ${own.name} with system_get_instance, and upgrade its agent (powernode agent upgrade) if it is older than the platform.`,
    };
  }
  const why = session.row.last_error;
  return {
    likely_cause: `${other.name} does not answer on the session${why === null ? '' : `: ${why}`}`,
    recommended_action: clearCommand(facts),
  };
}

function establishedCause({ denied, own, other, session }: Facts): Cause {
  const refused = shownRefusal(session.row);
  if (refused !== null) {
    return {
      likely_cause: `The session is Established, and ${other.name} announces prefixes that are not behind it: ${own.name} has refused ${refused.ipv4 + refused.ipv6} announcements since ${refused.since}.`,
      recommended_action: `Look on ${other.name} for another BGP daemon, or for who has changed its own (system_sdwan_get_bgp_config_for_peer shows what it is given). If a prefix is right, declare it with system_sdwan_update_peer_lan_subnets.`,
    };
  }
  if (denied.length > 0) {
    return {
      likely_cause: `The session is Established, and a route policy denies ${denied.join(', ')} of ${other.name}.`,
      recommended_action: `system_sdwan_explain_route { "peer_id": "${session.peer.id}", "prefix": "${denied[0]}" } names the statement that denies it.`,
    };
  }
  return {
    likely_cause: `None: the session of ${own.name} with ${other.name} is Established.`,
    recommended_action: 'Nothing has to be done.',
  };
}

function daemonCause({ name }: End, { code, detail }: NodeProblem): Cause {
  if (code === 'routing_daemon_missing') {
    return {
      likely_cause: `FRR is missing on ${name}: ${detail}`,
      recommended_action: `Install FRR on ${name} (apt-get install frr, or dnf install frr); the agent starts its daemons by itself.`,
    };
  }
  return {
    likely_cause: `The routing daemon on ${name} does not have its configuration: ${detail}`,
    recommended_action: `Correct what ${name} refuses (a route policy that was changed last, as a rule), then restart its agent (systemctl restart powernode-agent).`,
  };
}

/** On the instance of the peer. */
function clearCommand({ network, other }: Facts): string {
  return `vtysh --vty_socket /run/powernode-frr/*/bgpd-${network.id} -c 'clear bgp ${other.address}'`;
}

function evidenceOf({ session, state, network, own, other, numberChangedAt, denied }: Facts): Evidence[] {
  const { row } = session;
  const found: Evidence[] = [
    {
      code: 'session',
      detail:
        row === null
          ? 'No instance has reported the session.'
          : `${own.name} reported ${state} at ${row.observed_at.toISOString()}, ${row.prefixes_received} prefixes received.`,
    },
  ];
  const add = (code: string, detail: string | null | undefined) => {
    if (detail !== null && detail !== undefined) found.push({ code, detail });
  };
  add(
    'routing_mode',
    `The network "${network.name}" has routing_mode ${network.isStatic ? 'static' : 'ibgp'}.`,
  );
  add('last_error', row?.last_error);
  const refused = shownRefusal(row);
  if (refused !== null) {
    const { ipv4, ipv6, since } = refused;
    add('refused', `${own.name} has refused ${ipv4} IPv4 and ${ipv6} IPv6 announcements of ${other.name} since ${since}.`);
  }
  if (row?.down_since != null && state !== 'Established') {
    add('down_since', `It is down since ${row.down_since.toISOString()}.`);
  }
  for (const end of [own, other]) {
    add('unreachable', end.unreachable === null ? null : `${end.name}: ${end.unreachable}`);
    if (!end.isConnected) add('not_connected', `${end.name} is not connected to the platform.`);
    for (const { code, detail } of end.problems) add(code, `${end.name}: ${detail}`);
  }
  if (numberChangedAt !== null) {
    add('as_number_changed', `The AS number was changed at ${numberChangedAt.toISOString()}.`);
  }
  if (denied.length > 0) add('denied', `Route policies deny ${denied.join(', ')}.`);
  return found;
}
