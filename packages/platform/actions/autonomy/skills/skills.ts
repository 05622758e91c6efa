// Handlers: skills by their names, and what is wrong now.
import { ProductError } from '@powernode/core/errors';
import type { Finding } from '@powernode/core/intent/skills';
import { z } from 'zod';
import type { ActionContext, HandlersOf } from '../../context.ts';
import { pageOf } from '../../paging.ts';
import { peerNames } from '../../sdwan/peers/peer-names.ts';
import { sessionIdOf } from '../../sdwan/routing/session-ends.ts';
import { type KnownSession, sessionsOf } from '../../sdwan/routing/sessions.ts';
import { networkRow } from '../../sdwan/rows.ts';
import { knownSkills, sessionSkill, skillNamed } from './known-skills.ts';
import { remediateSession } from './remediate-session.ts';

export const skillHandlers: HandlersOf<'executeSkill' | 'listSkills' | 'listFindings'> = {
  async executeSkill(context, input) {
    if (skillNamed(input.skill) === null) {
      const names = knownSkills.map(({ name }) => name).join(', ');
      const message = `is no skill: write ${names}`;
      throw new ProductError('validation_failed', `skill "${input.skill}" ${message}.`, {
        fields: [{ path: 'skill', code: 'unknown_skill', message }],
      });
    }
    const { bgp_session_id: sessionId, dry_run: dryRunInside } = input.inputs;
    if (sessionId === undefined) {
      const message = 'is needed: write the id of a session of system_sdwan_get_bgp_sessions';
      throw new ProductError('validation_failed', `inputs.bgp_session_id ${message}.`, {
        fields: [{ path: 'inputs.bgp_session_id', code: 'required', message }],
      });
    }
    if (!(input.dry_run ?? dryRunInside ?? true)) throw onlyPlans(input.dry_run === undefined);
    return remediateSession(context, sessionId);
  },

  async listSkills(_context, input) {
    const { rows, answer } = pageOf(knownSkills, input);
    const skills = rows.map(({ inputs, answer: output, ...skill }) => ({
      ...skill,
      input_schema: z.toJSONSchema(inputs, { io: 'input' }) as Record<string, unknown>,
      output_schema: z.toJSONSchema(output) as Record<string, unknown>,
    }));
    return { skills, ...answer };
  },

  async listFindings(context, input) {
    if (input.network_id !== undefined) await networkRow(context, input.network_id);
    const sessions = await sessionsOf(context, { network_id: input.network_id });
    const found = sessions
      .flatMap((session) => [downSpan(session, input.recovered) ?? [], refusedSpan(session, input.recovered) ?? []].flat())
      .toSorted((a, b) => a.beganAt.getTime() - b.beganAt.getTime());
    const { rows, answer } = pageOf(
      found.map((one, i) => ({ i, id: sessionIdOf(one.session) })),
      input,
    );
    const shown = rows.flatMap(({ i }) => found[i] ?? []);
    return { findings: await showFindings(context, shown), ...answer };
  },
};

function onlyPlans(isInside: boolean): ProductError {
  const message = 'must be true or left out: this skill only plans';
  return new ProductError(
    'validation_failed',
    'This skill only plans: leave dry_run out, and run the command that it recommends.',
    { fields: [{ path: isInside ? 'inputs.dry_run' : 'dry_run', code: 'only_plans', message }] },
  );
}

interface Span {
  readonly kind: Finding['kind'];
  readonly session: KnownSession;
  readonly beganAt: Date;
  readonly recoveredAt: Date | null;
}

/** null: it is, or was, not down. */
function downSpan(session: KnownSession, recovered: boolean): Span | null {
  const { row } = session;
  // What nobody has reported may not have begun yet.
  if (row === null || row.down_since === null) return null;
  if ((row.state === 'Established') !== recovered) return null;
  const recoveredAt = recovered ? row.recovered_at : null;
  return { kind: 'sdwan.bgp_session_down', session, beganAt: row.down_since, recoveredAt };
}

/** null: its neighbor announces, or announced, nothing that is refused. */
function refusedSpan(session: KnownSession, recovered: boolean): Span | null {
  const { row } = session;
  if (row === null || row.refused_since === null || (row.refused_until !== null) !== recovered) return null;
  const { refused_since: beganAt, refused_until: recoveredAt } = row;
  return { kind: 'sdwan.bgp_routes_refused', session, beganAt, recoveredAt };
}

async function showFindings(context: ActionContext, spans: readonly Span[]): Promise<Finding[]> {
  const ids = spans.flatMap(({ session: { peer, neighbor } }) => [peer.id, neighbor.id]);
  const names = await peerNames(context, [...new Set(ids)]);
  return spans.map(({ kind, session, beganAt, recoveredAt }) => {
    const { peer, neighbor } = session;
    const [own, other] = [names.get(peer.id) ?? peer.id, names.get(neighbor.id) ?? neighbor.id];
    return {
      kind,
      severity: 'warning',
      network_id: peer.networkId,
      object: { type: 'bgp_session', id: sessionIdOf(session), name: `${own} to ${other}` },
      detail: details[kind](session, { own, other }),
      began_at: beganAt.toISOString(),
      recovered_at: recoveredAt?.toISOString() ?? null,
      skill: sessionSkill,
    };
  });
}

type Names = Readonly<Record<'own' | 'other', string>>;

const details: Readonly<Record<Finding['kind'], (session: KnownSession, names: Names) => string>> = {
  'sdwan.bgp_session_down': ({ row }, { own, other }) => {
    const reason = row?.last_error == null ? '' : `: ${row.last_error}`;
    return `The BGP session of ${own} with ${other} is ${row?.state ?? 'Idle'}${reason}`;
  },
  'sdwan.bgp_routes_refused': ({ row }, { own, other }) =>
    `${own} refused ${row?.refused_ipv4 ?? 0} IPv4 and ${row?.refused_ipv6 ?? 0} IPv6 announcements of ${other}, of prefixes that are not behind it. No route has changed. Look on ${other} for another BGP daemon, or for who has changed its own.`,
};
