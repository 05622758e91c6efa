// Handler: what is wrong now, or was: sessions of BGP as nodes report them, and what the periodic audit has found.
import {
  auditFindingKinds,
  type Finding,
  type SessionFindingKind,
  sessionFindingKinds,
} from '@powernode/core/intent/findings';
import { findingsPerAccountMax } from '@powernode/core/limits/coordination';
import type { Selectable } from 'kysely';
import type { Database } from '../../store/tables.ts';
import { timeOrNull } from '../accounts/present.ts';
import type { ActionContext, HandlersOf, Input } from '../context.ts';
import { pageOf } from '../paging.ts';
import { peerNames } from '../sdwan/peers/peer-names.ts';
import { sessionIdOf } from '../sdwan/routing/session-ends.ts';
import { type KnownSession, type SessionRow, sessionsOf } from '../sdwan/routing/sessions.ts';
import { networkRow } from '../sdwan/rows.ts';
import { sessionSkill } from './skills/known-skills.ts';

type Asked = Input<'listFindings'>;

export const findingHandlers: HandlersOf<'listFindings'> = {
  async listFindings(context, input) {
    if (input.network_id !== undefined) await networkRow(context, input.network_id);
    const found = [...(await sessionSpans(context, input)), ...(await auditSpans(context, input))];
    const { rows, answer } = pageOf(
      found.toSorted((a, b) => a.beganAt.getTime() - b.beganAt.getTime()),
      input,
    );
    const ids = rows.flatMap(({ of }) =>
      of.kind === 'session' ? [of.session.peer.id, of.session.neighbor.id] : [],
    );
    const names = await peerNames(context, [...new Set(ids)]);
    return { findings: rows.map((span) => showFinding(span, names)), ...answer };
  },
};

/** For how long something was wrong. */
interface Span {
  readonly beganAt: Date;
  readonly recoveredAt: Date | null;
  readonly of:
    | {
        readonly kind: 'session';
        readonly finding: SessionFindingKind;
        readonly session: KnownSession;
      }
    | { readonly kind: 'audit'; readonly row: Selectable<Database['findings']> };
}

async function sessionSpans(context: ActionContext, input: Asked): Promise<Span[]> {
  const kinds = sessionFindingKinds.filter((kind) => input.kind === undefined || kind === input.kind);
  if (kinds.length === 0) return [];
  const sessions = await sessionsOf(context, { network_id: input.network_id });
  return sessions.flatMap((session) => {
    const { row } = session;
    // What nobody has reported may not have begun yet.
    if (row === null) return [];
    return kinds.flatMap((finding): Span[] => {
      const times = sessionTimes[finding](row);
      if (times === null || (times.recoveredAt !== null) !== input.recovered) return [];
      return [{ ...times, of: { kind: 'session', finding, session } }];
    });
  });
}

type Times = Pick<Span, 'beganAt' | 'recoveredAt'>;

/** null: it was never so. */
const sessionTimes: Readonly<Record<SessionFindingKind, (row: SessionRow) => Times | null>> = {
  'sdwan.bgp_session_down': ({ state, down_since: beganAt, recovered_at: at, observed_at: seenAt }) =>
    beganAt === null ? null : { beganAt, recoveredAt: state === 'Established' ? (at ?? seenAt) : null },
  'sdwan.bgp_routes_refused': ({ refused_since: beganAt, refused_until: recoveredAt }) =>
    beganAt === null ? null : { beganAt, recoveredAt },
};

/** Open ones are limited by the audit; of those that are over the newest are shown. */
async function auditSpans(context: ActionContext, input: Asked): Promise<Span[]> {
  const kinds = auditFindingKinds.filter((kind) => input.kind === undefined || kind === input.kind);
  if (kinds.length === 0) return [];
  let query = context.trx
    .selectFrom('findings')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('kind', 'in', kinds)
    .where('recovered_at', input.recovered ? 'is not' : 'is', null);
  if (input.network_id !== undefined) query = query.where('network_id', '=', input.network_id);
  const rows = await query
    .orderBy('began_at', 'desc')
    .orderBy('id', 'desc')
    .limit(findingsPerAccountMax)
    .execute();
  return rows
    .toReversed()
    .map((row) => ({ beganAt: row.began_at, recoveredAt: row.recovered_at, of: { kind: 'audit', row } }));
}

function showFinding({ beganAt, recoveredAt, of }: Span, names: ReadonlyMap<string, string>): Finding {
  const times = { began_at: beganAt.toISOString(), recovered_at: timeOrNull(recoveredAt) };
  if (of.kind === 'audit') {
    const { kind, severity, network_id, object, cause, detail } = of.row;
    return { kind, severity, network_id, object, by: cause, detail, ...times, skill: null };
  }
  const { peer, neighbor, row } = of.session;
  const [own, other] = [names.get(peer.id) ?? peer.id, names.get(neighbor.id) ?? neighbor.id];
  return {
    kind: of.finding,
    severity: 'warning',
    network_id: peer.networkId,
    object: { type: 'bgp_session', id: sessionIdOf(of.session), name: `${own} to ${other}` },
    by: null,
    detail: sessionDetails[of.finding](row, { own, other }),
    ...times,
    skill: sessionSkill,
  };
}

type Names = Readonly<Record<'own' | 'other', string>>;

const sessionDetails: Readonly<Record<SessionFindingKind, (row: SessionRow | null, names: Names) => string>> =
  {
    'sdwan.bgp_session_down': (row, { own, other }) => {
      const reason = row?.last_error == null ? '' : `: ${row.last_error}`;
      return `The BGP session of ${own} with ${other} is ${row?.state ?? 'Idle'}${reason}`;
    },
    'sdwan.bgp_routes_refused': (row, { own, other }) =>
      `${own} refused ${row?.refused_ipv4 ?? 0} IPv4 and ${row?.refused_ipv6 ?? 0} IPv6 announcements of ${other}, of prefixes that are not behind it. No route has changed. Look on ${other} for another BGP daemon, or for who has changed its own.`,
  };
