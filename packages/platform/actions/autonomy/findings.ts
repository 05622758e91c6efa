// Handler: what is wrong now, or was: sessions of BGP as nodes report them, hubs and holders of virtual IPs that do not
// answer, and what the periodic audit has found.
import {
  auditFindingKinds,
  type Finding,
  type FindingKind,
  findingPermissions,
  liveFindingKinds,
  type SessionFindingKind,
  sessionFindingKinds,
} from '@powernode/core/intent/findings';
import { findingsPerAccountMax } from '@powernode/core/limits/coordination';
import type { Selectable } from 'kysely';
import { unreachableHub } from '../../deliver/presence/presence-rows.ts';
import { type EndedFinding, findingIdOf } from '../../store/ended-findings.ts';
import type { Database } from '../../store/tables.ts';
import { stored, timeOrNull } from '../accounts/present.ts';
import type { ActionContext, HandlersOf, Input } from '../context.ts';
import { pageOf } from '../paging.ts';
import { peerNames } from '../sdwan/peers/peer-names.ts';
import { sessionIdOf } from '../sdwan/routing/session-ends.ts';
import { type KnownSession, type SessionRow, sessionsOf } from '../sdwan/routing/sessions.ts';
import { networkRow } from '../sdwan/rows.ts';
import { silentHolderOf } from '../sdwan/virtual-ips/silent-holder.ts';
import { sessionSkill } from './skills/known-skills.ts';

type Asked = Input<'listFindings'>;

export const findingHandlers: HandlersOf<'listFindings'> = {
  async listFindings(context, input) {
    if (input.network_id !== undefined) await networkRow(context, input.network_id);
    const found = [
      ...(await sessionSpans(context, input)),
      ...(await liveSpans(context, input)),
      ...(await storedSpans(context, input)),
    ];
    const { rows, answer } = pageOf(
      found.toSorted((a, b) => a.beganAt.getTime() - b.beganAt.getTime()),
      input,
    );
    const ids = rows.flatMap(({ of }) =>
      of.kind === 'session' ? [of.session.peer.id, of.session.neighbor.id] : [],
    );
    const names = await peerNames(context, [...new Set(ids)]);
    return { findings: rows.map((span) => showFinding(context, span, names)), ...answer };
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
    | { readonly kind: 'live'; readonly finding: Omit<EndedFinding, 'recoveredAt'> }
    | { readonly kind: 'stored'; readonly row: Selectable<Database['findings']> };
}

/** Of these kinds those that are asked for, and that the caller may read. */
function asked<Kind extends FindingKind>(
  { caller }: ActionContext,
  { kind: one }: Asked,
  kinds: readonly Kind[],
): Kind[] {
  return kinds.filter(
    (kind) => (one === undefined || kind === one) && caller.permissions.has(findingPermissions[kind]),
  );
}

async function sessionSpans(context: ActionContext, input: Asked): Promise<Span[]> {
  const kinds = asked(context, input, sessionFindingKinds);
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

/** They have a row when they are over. */
async function liveSpans(context: ActionContext, input: Asked): Promise<Span[]> {
  if (input.recovered) return [];
  const kinds = asked(context, input, liveFindingKinds);
  const found = [
    ...(kinds.includes('sdwan.hub_unreachable') ? await unreachableHubs(context, input.network_id) : []),
    ...(kinds.includes('sdwan.vip_holder_silent') ? await silentHolders(context, input.network_id) : []),
  ];
  return found.map((finding) => ({
    beganAt: finding.beganAt,
    recoveredAt: null,
    of: { kind: 'live', finding },
  }));
}

async function unreachableHubs(context: ActionContext, networkId: string | undefined) {
  let query = context.trx
    .selectFrom('peers')
    .innerJoin('instances', 'instances.id', 'peers.instance_id')
    .select(['peers.id', 'peers.network_id', 'peers.unreachable_since', 'instances.hostname'])
    .where('peers.account_id', '=', context.accountId)
    .where('peers.hub_slot', 'is not', null)
    .where('peers.unreachable_since', 'is not', null);
  if (networkId !== undefined) query = query.where('peers.network_id', '=', networkId);
  const rows = await query.orderBy('peers.id').execute();
  return rows.map(({ id, network_id: of, unreachable_since: since, hostname }) =>
    unreachableHub({
      ...{ accountId: context.accountId, networkId: of, id, hostname },
      beganAt: since ?? context.now,
    }),
  );
}

async function silentHolders(context: ActionContext, networkId: string | undefined) {
  let query = context.trx
    .selectFrom('virtual_ips')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('state', '=', 'error');
  if (networkId !== undefined) query = query.where('network_id', '=', networkId);
  const rows = await query.orderBy('id').execute();
  return rows.flatMap((row) => silentHolderOf(row) ?? []);
}

/** Open ones are limited by the audit; of those that are over the newest are shown. */
async function storedSpans(context: ActionContext, input: Asked): Promise<Span[]> {
  const kinds = asked(context, input, [...auditFindingKinds, ...liveFindingKinds]);
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
    .map((row) => ({ beganAt: row.began_at, recoveredAt: row.recovered_at, of: { kind: 'stored', row } }));
}

function showFinding(context: ActionContext, span: Span, names: ReadonlyMap<string, string>): Finding {
  const { beganAt, recoveredAt, of } = span;
  const times = { began_at: beganAt.toISOString(), recovered_at: timeOrNull(recoveredAt) };
  if (of.kind === 'stored') {
    const { kind, severity, network_id, object, cause, detail } = of.row;
    const row = stored({ ...of.row, created_at: of.row.began_at });
    return { ...row, kind, severity, network_id, object, by: cause, detail, ...times, skill: null };
  }
  const known = (kind: FindingKind, objectId: string) =>
    stored({
      id: findingIdOf({ kind, objectId, beganAt }),
      account_id: context.accountId,
      created_at: beganAt,
      updated_at: recoveredAt ?? beganAt,
      revision: recoveredAt === null ? 1 : 2,
    });
  if (of.kind === 'live') {
    const { kind, severity, networkId, object, detail } = of.finding;
    const shown = { kind, severity, network_id: networkId, object, by: null, detail };
    return { ...known(kind, object.id), ...shown, ...times, skill: null };
  }
  const { peer, neighbor, row } = of.session;
  const [own, other] = [names.get(peer.id) ?? peer.id, names.get(neighbor.id) ?? neighbor.id];
  const sessionId = sessionIdOf(of.session);
  return {
    ...known(of.finding, sessionId),
    kind: of.finding,
    severity: 'warning',
    network_id: peer.networkId,
    object: { type: 'bgp_session', id: sessionId, name: `${own} to ${other}` },
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
