// What bgpd answers as JSON, read into types of the agent: sessions, table versions, best paths. Other members are
// ignored; those that are read are limited.
import { type BgpState, bgpStates } from '@powernode/core/intent/bgp';
import {
  frrAsPathLengthMax,
  frrMembersMax,
  frrNextHopsMax,
  frrPathsMax,
  frrPrefixesMax,
  frrSaidMax,
  frrSessionsMax,
} from '@powernode/core/limits/agent';
import { count, flag, list, type Members, members, text, textOr } from './checks.ts';

export interface BgpSession {
  /** The neighbor's address. */
  readonly neighbor: string;
  readonly state: BgpState;
  /** Since it is established; null: it is not. */
  readonly uptimeSeconds: number | null;
  /** Of both families, after policies. */
  readonly prefixesReceived: number;
  /** Why it ended last, or does not come up, in FRR's words; null: nothing is known, or it never ended. */
  readonly lastError: string | null;
  /** null: no BFD on this session. */
  readonly bfd: 'up' | 'down' | null;
}

export interface BestPath {
  /** Of the best path and of those that are as good; none: it is announced by this machine itself. */
  readonly nextHops: readonly string[];
  readonly local: boolean;
  /** The neighbor that it was learnt from; null: this machine itself. */
  readonly from: string | null;
  readonly localPreference: number | null;
  readonly metric: number | null;
  readonly weight: number;
  readonly asPath: string;
  readonly origin: string;
  /** All paths to the prefix that are known. */
  readonly paths: number;
}

export interface BgpTable {
  readonly version: number;
  readonly best: ReadonlyMap<string, BestPath>;
}

/** What is asked often: whether something moved. */
export interface BgpSummary {
  readonly version: number;
  /** Changes with each change of a session. */
  readonly sessions: string;
}

/** Before there is a `router bgp`, FRR answers with an empty object or with a sentence. */
export function readSummary(answer: unknown): BgpSummary {
  const { tableVersion, peers = {} } = members(answer, 'the summary', frrMembersMax);
  const sessions = Object.entries(members(peers, 'peers', frrSessionsMax)).map(([neighbor, value]) => {
    const peer = members(value, neighbor, frrMembersMax);
    const counts = ['pfxRcd', 'connectionsEstablished', 'connectionsDropped'].map((name) =>
      count(peer[name], name, 0),
    );
    return [neighbor, text(peer['state'], 'state'), ...counts].join(' ');
  });
  return { version: count(tableVersion, 'tableVersion', 0), sessions: sessions.join('\n') };
}

export function readNeighbors(answer: unknown): BgpSession[] {
  return Object.entries(members(answer, 'the neighbors', frrSessionsMax)).flatMap(([neighbor, value]) => {
    // Beside the neighbors stand facts of the whole instance, such as its name.
    if (typeof value !== 'object') return [];
    return [sessionOf(neighbor, members(value, neighbor, frrMembersMax))];
  });
}

function sessionOf(neighbor: string, found: Members): BgpSession {
  const said = text(found['bgpState'], 'bgpState');
  const state = bgpStates.find((name) => name === said) ?? 'Idle';
  const upMs = count(found['bgpTimerUpMsec'], 'bgpTimerUpMsec', 0);
  const families = Object.values(
    members(found['addressFamilyInfo'] ?? {}, 'addressFamilyInfo', frrMembersMax),
  );
  const bfd = found['peerBfdInfo'];
  return {
    neighbor,
    state,
    uptimeSeconds: state === 'Established' ? Math.floor(upMs / 1000) : null,
    prefixesReceived: families
      .map((one) => count(members(one, 'family', frrMembersMax)['acceptedPrefixCounter'], 'prefixes', 0))
      .reduce((sum, one) => sum + one, 0),
    lastError: errorOf(found, said),
    bfd:
      bfd === undefined
        ? null
        : members(bfd, 'peerBfdInfo', frrMembersMax)['status'] === 'Up'
          ? 'up'
          : 'down',
  };
}

/** What a session that has not met anything yet is said to have been reset by. */
const beginnings = new Set(['', 'Waiting for peer OPEN', 'No AFI/SAFI activated for peer']);

function errorOf(found: Members, state: string): string | null {
  const parts = ['lastResetDueTo', 'lastNotificationReason', 'lastShutdownDescription']
    // A reason is shown as it is, but never longer.
    .map((name) => textOr(found[name], '', name, Number.POSITIVE_INFINITY).trim().slice(0, frrSaidMax))
    .filter((reason) => reason !== '');
  if (parts.length === 0) return null;
  // The state of a session that came up at once; of one that is not up it is the reason.
  if (parts.length === 1 && beginnings.has(parts[0] ?? '') && state === 'Established') return null;
  return parts.join(': ').slice(0, frrSaidMax);
}

export function readTable(answer: unknown): BgpTable {
  const { tableVersion, routes = {} } = members(answer, 'the table', frrMembersMax);
  const best = new Map<string, BestPath>();
  const all = members(routes, 'routes', frrPrefixesMax);
  for (const prefix in all) {
    const found = bestOf(prefix, list(all[prefix], prefix, frrPathsMax));
    if (found !== null) best.set(prefix, found);
  }
  return { version: count(tableVersion, 'tableVersion', 0), best };
}

/** FRR's name of the machine itself, where a neighbor would stand. */
const self = '(unspec)';

function bestOf(prefix: string, values: readonly unknown[]): BestPath | null {
  let best: Members | null = null;
  const nextHops: string[] = [];
  for (const value of values) {
    const path = members(value, prefix, frrMembersMax);
    const isBest = flag(path['bestpath'], 'bestpath');
    const isEqual = flag(path['multipath'], 'multipath');
    if (!flag(path['valid'], 'valid') || !(isBest || isEqual)) continue;
    if (isBest) best ??= path;
    nextHops.push(...nextHopsOf(path));
  }
  if (best === null) return null;
  const from = text(best['peerId'], 'peerId');
  return {
    nextHops: nextHops.length > 1 ? [...new Set(nextHops)].sort() : nextHops,
    local: from === self,
    from: from === self ? null : from,
    localPreference: count(best['locPrf'], 'locPrf', null),
    metric: count(best['metric'], 'metric', null),
    weight: count(best['weight'], 'weight', 0),
    asPath: textOr(best['path'], '', 'path', frrAsPathLengthMax),
    origin: textOr(best['origin'], '', 'origin'),
    paths: values.length,
  };
}

function nextHopsOf(path: Members): string[] {
  return list(path['nexthops'], 'nexthops', frrNextHopsMax).flatMap((value) => {
    const hop = members(value, 'next hop', frrMembersMax);
    const ip = text(hop['ip'], 'ip');
    return !flag(hop['used'], 'used') || ip === '::' || ip === '0.0.0.0' ? [] : [ip];
  });
}

export function isSameBest(a: BestPath, b: BestPath | undefined): boolean {
  return (
    b !== undefined &&
    a.from === b.from &&
    a.local === b.local &&
    a.localPreference === b.localPreference &&
    a.metric === b.metric &&
    a.weight === b.weight &&
    a.asPath === b.asPath &&
    a.origin === b.origin &&
    a.paths === b.paths &&
    a.nextHops.length === b.nextHops.length &&
    a.nextHops.every((ip, i) => ip === b.nextHops[i])
  );
}
