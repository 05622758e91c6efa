// What probably keeps a session of BGP from being established, by what is known of its two ends, and what to do.
import type { NodeProblem } from '@powernode/core/wire/node-problems';
import { shownRefusal } from '../../sdwan/routing/sessions.ts';
import type { End, SessionFacts } from './session-facts.ts';

interface Advice {
  readonly likely_cause: string;
  readonly recommended_action: string;
}

interface Cause extends Advice {
  /** Whether to clear the session is the step to take. */
  readonly isCleared: boolean;
}

const daemonCodes: readonly NodeProblem['code'][] = [
  'routing_daemon_missing',
  'routing_daemon_refused',
  'routing_failed',
];

/** The first cause that the evidence shows. */
export function causeOf(facts: SessionFacts): Cause {
  const untouched = causeElsewhere(facts);
  return untouched === null ? unanswered(facts) : { ...untouched, isCleared: false };
}

/** What no reset of the session would repair; null: nothing of that kind is known. */
function causeElsewhere(facts: SessionFacts): Advice | null {
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
  if (facts.noRoute !== null) {
    return {
      likely_cause: `There is no route between ${own.name} and ${other.name}: ${facts.noRoute}`,
      recommended_action: `system_sdwan_explain_reachability { "network_id": "${network.id}", "source": { "peer_id": "${session.peer.id}" }, "destination": { "peer_id": "${session.neighbor.id}" }, "protocol": "tcp", "port": 179 } names the step at which packets end. Correct that; the session is established by itself then.`,
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
  if (!own.isConnected) {
    return {
      likely_cause: `${own.name} is not connected to the platform, so that what it said of the session last may be over.`,
      recommended_action: `Bring the agent of ${own.name} back (systemctl restart powernode-agent), then run this skill again.`,
    };
  }
  if (/bad peer as/i.test(session.row.last_error ?? '')) {
    return {
      likely_cause: `The two ends have different AS numbers (${session.row.last_error}): the bgpd of ${own.name} or of ${other.name} does not run the number of the account.`,
      recommended_action: `Compare system_sdwan_get_bgp_config_for_peer { "peer_id": "${session.neighbor.id}" } with what runs on ${other.name}, and restart the agents of both (systemctl restart powernode-agent): an agent brings its bgpd to the configuration of the platform.`,
    };
  }
  return null;
}

/** Nothing but the session itself is known to be at fault, so that clearing it may help and can do no harm. */
function unanswered(facts: SessionFacts): Cause {
  const { state, own, other, session } = facts;
  const said = session.row?.last_error ?? null;
  const why = said === null ? '' : ` (${said})`;
  return {
    likely_cause: `${unansweredText(state, other.name)}${why}, although no fault of ${own.name} or ${other.name} is known.`,
    recommended_action: clearCommand(facts),
    isCleared: true,
  };
}

/** States of RFC 4271 §8.2.2. */
function unansweredText(state: SessionFacts['state'], other: string): string {
  if (state === 'OpenSent' || state === 'OpenConfirm')
    return `${other} has taken the connection and does not answer the OPEN message`;
  if (state === 'Idle') return `The session waits before it tries again to connect to ${other}`;
  return `${other} does not answer on TCP port 179 (BGP)`;
}

function establishedCause({ denied, own, other, session }: SessionFacts): Advice {
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

function daemonCause({ name }: End, { code, detail }: NodeProblem): Advice {
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
function clearCommand({ network, other }: SessionFacts): string {
  return `vtysh --vty_socket /run/powernode-frr/*/bgpd-${network.id} -c 'clear bgp ${other.address}'`;
}
