// Health of the holder of a virtual IP, from the reports of hubs and from its renewals at the platform. Pure.
import type { PeerId } from '../ids.ts';
import { addressLeaseMarginMs, addressLeaseMs } from '../limits/failover.ts';
import { hubsReaching } from './candidates.ts';
import type { HubReport, State, Verdict } from './state.ts';
import { blockingSetSize } from './terms.ts';

export interface Health {
  readonly verdict: Verdict;
  /** Its witnesses, by what they report: that they do not reach it, that they do, nothing that counts. */
  readonly unreachableFrom: readonly PeerId[];
  readonly reachableFrom: readonly PeerId[];
  readonly noReportFrom: readonly PeerId[];
  /** The platform has acknowledged no renewal of it for as long as a lease lasts. */
  readonly renewalLapsed: boolean;
  /** Every hub that reports has lost it, and one of them reaches another candidate: so the hub itself works. */
  readonly lost: boolean;
  /** When it may change without a new report; null: never. */
  readonly changesMs: number | null;
}

export function healthOf(state: State, peerId: PeerId, now: number): Health {
  const terms = state.terms.get(peerId) ?? null;
  const renewalLapsed = hasRenewalLapsed(state, now);
  const facts = state.peers.get(peerId);
  if (terms === null) {
    // It has no witnesses, so there is no report against it either.
    const verdict = isCheckFailing(state, peerId)
      ? 'failing'
      : facts?.connected === true
        ? 'healthy'
        : 'unknown';
    const none = { unreachableFrom: [], reachableFrom: [], noReportFrom: [] };
    return { verdict, ...none, renewalLapsed, lost: false, changesMs: null };
  }
  const reports = state.reports.get(peerId);
  const witnessesBy = (matches: (report: HubReport | undefined) => boolean) =>
    terms.witnesses.filter((hub) => matches(reports?.get(hub)));
  const unreachableFrom = witnessesBy(
    (report) => report !== undefined && !report.reachable && doesReportCount(report, now),
  );
  const reachableFrom = witnessesBy((report) => report?.reachable === true);
  const noReportFrom = terms.witnesses.filter(
    (hub) => !unreachableFrom.includes(hub) && !reachableFrom.includes(hub),
  );
  const lost =
    unreachableFrom.length > 0 &&
    reachableFrom.length === 0 &&
    reachOtherCandidate(state, peerId, unreachableFrom);
  const evidence = {
    unreachableFrom,
    reachableFrom,
    noReportFrom,
    renewalLapsed,
    lost,
    changesMs: changesMs(state, { reports, hubs: noReportFrom, now }),
  };
  if (unreachableFrom.length + Number(renewalLapsed) >= blockingSetSize(terms))
    return { verdict: 'down', ...evidence };
  if (lost && noReportFrom.length === 0) return { verdict: 'down', ...evidence };
  if (isCheckFailing(state, peerId)) return { verdict: 'failing', ...evidence };
  const hasQuorum = reachableFrom.length + Number(!renewalLapsed) >= terms.quorum && reachableFrom.length > 0;
  return { verdict: hasQuorum ? 'healthy' : 'unknown', ...evidence };
}

/** What was last said by a holder that is not connected is no evidence. */
export function isCheckFailing(state: Pick<State, 'row' | 'peers' | 'check'>, peerId: PeerId): boolean {
  const { row, peers, check } = state;
  const isReported = row.checked && row.holder === peerId && check?.health === 'failing';
  return isReported && peers.get(peerId)?.connected === true;
}

function reachOtherCandidate(state: State, holder: PeerId, hubs: readonly PeerId[]): boolean {
  return state.row.candidates.some(
    (peerId) => peerId !== holder && hubsReaching(state, peerId).some((hub) => hubs.includes(hub)),
  );
}

/** A report of a hub begins to count, or the holder's renewal lapses. */
function changesMs(
  state: State,
  of: {
    readonly reports: ReadonlyMap<PeerId, HubReport> | undefined;
    readonly hubs: readonly PeerId[];
    readonly now: number;
  },
): number | null {
  const counting = of.hubs.flatMap((hub) => of.reports?.get(hub) ?? []).map(reportCountsFromMs);
  const lapse = state.lastRenewedMs === null ? [] : [state.lastRenewedMs + addressLeaseMs + 1];
  const coming = [...counting, ...lapse].filter((at) => at > of.now);
  return coming.length === 0 ? null : Math.min(...coming);
}

/** A hub whose agent has just started does not know which probes it answered before. */
export function doesReportCount(report: HubReport, now: number): boolean {
  return now >= reportCountsFromMs(report);
}

function reportCountsFromMs(report: HubReport): number {
  return report.streamOpenedMs + addressLeaseMs + addressLeaseMarginMs;
}

export function hasRenewalLapsed(state: Pick<State, 'lastRenewedMs'>, now: number): boolean {
  return state.lastRenewedMs === null || now - state.lastRenewedMs > addressLeaseMs;
}
