// The skill system-sdwan-bgp-session-remediate: what is known of both ends of a session (session-facts.ts), what follows
// from it (session-cause.ts), and the safe step, which is to clear the session at one end.
import type { Actions } from '@powernode/core/actions/catalogue';
import type { OutputOf } from '@powernode/core/actions/define';
import type { SafeStep } from '@powernode/core/intent/skills';
import type { ActionContext } from '../../context.ts';
import { resetSession } from '../../sdwan/routing/session-resets.ts';
import { shownRefusal } from '../../sdwan/routing/sessions.ts';
import { causeOf } from './session-cause.ts';
import { type SessionFacts, sessionEndOf, sessionFactsOf } from './session-facts.ts';

type Answer = OutputOf<Actions['executeSkill']>;
type Evidence = Answer['evidence'][number];

export async function remediateSession(context: ActionContext, sessionId: string): Promise<Answer> {
  const end = await sessionEndOf(context, sessionId);
  const facts = await sessionFactsOf(context, end);
  const { isCleared, ...cause } = causeOf(facts);
  if (isCleared) await resetSession(context, end);
  return {
    // The first object of an answer is what a request for it is called by.
    safe_step: isCleared ? safeStepOf(facts) : null,
    session_id: sessionId,
    state: facts.state.toLowerCase(),
    ...cause,
    evidence: [...evidenceOf(facts), ...(isCleared ? [afterwards(facts)] : [])],
    carried_out: isCleared && !context.dryRun,
    dry_run: context.dryRun,
  };
}

function afterwards({ network, state, own, other }: SessionFacts): Evidence {
  const question = `system_sdwan_explain_reachability { "network_id": "${network.id}", "source": { "address": "${own.address}" }, "destination": { "address": "${other.address}" }, "protocol": "tcp", "port": 179 }`;
  const detail = `dry_run false clears the session on ${own.name}, as the command does. If it stays ${state} after that, something on ${own.name} or ${other.name} takes the packets: ${question}`;
  return { code: 'afterwards', detail };
}

function safeStepOf({ session, own, other }: SessionFacts): SafeStep {
  return {
    code: 'clear_session',
    name: `clear the BGP session of ${own.name} with ${other.name}`,
    peer_id: session.peer.id,
    detail: `${own.name} clears the session once: from the beginning, or, should it be established by then, by a soft reset, which interrupts nothing.`,
  };
}

function evidenceOf({
  session,
  state,
  network,
  own,
  other,
  numberChangedAt,
  noRoute,
  denied,
}: SessionFacts): Evidence[] {
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
    add(
      'refused',
      `${own.name} has refused ${ipv4} IPv4 and ${ipv6} IPv6 announcements of ${other.name} since ${since}.`,
    );
  }
  if (row?.down_since != null && state !== 'Established') {
    add('down_since', `It is down since ${row.down_since.toISOString()}.`);
  }
  for (const end of [own, other]) {
    add('unreachable', end.unreachable === null ? null : `${end.name}: ${end.unreachable}`);
    if (!end.isConnected) add('not_connected', `${end.name} is not connected to the platform.`);
    for (const { code, detail } of end.problems) add(code, `${end.name}: ${detail}`);
  }
  add('no_route', noRoute);
  if (numberChangedAt !== null) {
    add('as_number_changed', `The AS number was changed at ${numberChangedAt.toISOString()}.`);
  }
  if (denied.length > 0) add('denied', `Route policies deny ${denied.join(', ')}.`);
  return found;
}
