// Proof that the previous leaseholder of an address does not answer for it any more, and cannot begin to: by its own
// acknowledgement, or by the reports of its lease's witnesses. Pure. This is what keeps two nodes from answering at once.
//
// A lease needs a quorum of the hubs and the platform that have heard the node within `addressLeaseMs`. A
// lapsed lease begins anew only when the platform acknowledges a renewal. So a lease has expired when, at one moment,
// the platform has acknowledged nothing for that long and a blocking set of hubs has not heard the node. That moment is
// `proof.atMs`: the hubs reported so before it, and are asked after it to confirm that report. Reports alone do not
// suffice: the newer report that a hub reaches the node again may be on a stream that is broken without the platform
// knowing. From that moment on the platform acknowledges no renewal of this epoch, so nothing later revives the lease.
import type { PeerId } from '../ids.ts';
import {
  addressLeaseMarginMs,
  addressLeaseMs,
  holderProofMs,
  terminatedHolderMs,
} from '../limits/failover.ts';
import { doesReportCount } from './health.ts';
import type { Effect, State } from './state.ts';
import { type LeaseTerms, witnessBlockingSetSize } from './terms.ts';

export interface ReleaseProof {
  readonly state: State;
  readonly effects: readonly Effect[];
  /** When to evaluate again; null: only an event can change the result. */
  readonly wakeMs: number | null;
  /** Whether only the node's own acknowledgement can prove the release. */
  readonly onlyByAcknowledgement: boolean;
}

/** Goes as far as it can towards proving that `peerId` has released the address: see `state.isReleaseProven`. */
export function proveRelease(state: State, peerId: PeerId, now: number): ReleaseProof {
  const nothing: Omit<ReleaseProof, 'state'> = { effects: [], wakeMs: null, onlyByAcknowledgement: false };
  const proven: ReleaseProof = { state: { ...state, isReleaseProven: true, proof: null }, ...nothing };
  if (state.isReleaseProven || hasAcknowledgedRelease(state, peerId)) return proven;
  const terminated = terminatedReleaseMs(state, peerId);
  if (terminated !== null && now >= terminated) return proven;
  const leases = knownLeases(state);
  if (leases === null) return { state, ...nothing, wakeMs: terminated, onlyByAcknowledgement: true };
  // A lease of which the platform acknowledged no renewal has never begun.
  if (state.lastRenewedMs === null) return proven;
  const { proof } = state;
  if (proof !== null) {
    if (areLeasesExpired(leases, proof.confirmed)) return proven;
    if (now < proof.atMs + holderProofMs) return { state, ...nothing, wakeMs: proof.atMs + holderProofMs };
  }
  return confirmExpiry({ ...state, proof: null }, { peerId, leases, terminated, now });
}

function confirmExpiry(
  state: State,
  of: {
    readonly peerId: PeerId;
    readonly leases: readonly LeaseTerms[];
    readonly terminated: number | null;
    readonly now: number;
  },
): ReleaseProof {
  const { peerId, leases, now } = of;
  const hubs = hubsToConfirm(state, peerId, now);
  const lapsedMs = (state.lastRenewedMs ?? 0) + addressLeaseMs + addressLeaseMarginMs;
  if (now >= lapsedMs && areLeasesExpired(leases, hubs)) {
    const number = state.proofCount + 1;
    const proof = { number, atMs: now, confirmed: [] };
    return {
      state: { ...state, proof, proofCount: number, fenced: true },
      effects: [{ kind: 'confirm_expiry', number, peerId, hubs }],
      wakeMs: now + holderProofMs,
      onlyByAcknowledgement: false,
    };
  }
  const maturing = [...(state.reports.get(peerId)?.values() ?? [])].flatMap((report) =>
    report.reachable
      ? []
      : [
          report.sinceMs + addressLeaseMarginMs,
          report.streamOpenedMs + addressLeaseMs + addressLeaseMarginMs,
        ],
  );
  const later = [lapsedMs, ...maturing, ...(of.terminated === null ? [] : [of.terminated])];
  const next = Math.min(...later.filter((at) => at > now));
  return { state, effects: [], wakeMs: Number.isFinite(next) ? next : null, onlyByAcknowledgement: false };
}

/** The node acknowledged a document without the address: its kernel was read back without it. */
function hasAcknowledgedRelease(state: State, peerId: PeerId): boolean {
  const { releasing } = state.row;
  if (releasing === null || releasing.peerId !== peerId) return false;
  return (state.peers.get(peerId)?.applied ?? -1) >= releasing.sequence;
}

/** When an operator's termination of the instance counts as a release; null: it was not terminated, or is connected. */
function terminatedReleaseMs(state: State, peerId: PeerId): number | null {
  const { releasing } = state.row;
  const facts = state.peers.get(peerId);
  if (releasing?.peerId !== peerId || facts?.presence !== 'terminated' || facts.connected) return null;
  return releasing.sinceMs + terminatedHolderMs;
}

/** null: the node may act on terms that no witness can report about. */
function knownLeases(state: State): readonly LeaseTerms[] | null {
  const leases = state.oldTerms.filter((terms) => terms !== null && terms !== 'unknown');
  return leases.length === state.oldTerms.length && leases.length > 0 ? leases : null;
}

/** Hubs whose report is older than the margin for differences of clocks and delays of kernels. */
function hubsToConfirm(state: State, peerId: PeerId, now: number): PeerId[] {
  return [...(state.reports.get(peerId) ?? [])].flatMap(([hub, report]) =>
    !report.reachable && now >= report.sinceMs + addressLeaseMarginMs && doesReportCount(report, now)
      ? [hub]
      : [],
  );
}

function areLeasesExpired(leases: readonly LeaseTerms[], hubs: readonly PeerId[]): boolean {
  return leases.every(
    (terms) => terms.witnesses.filter((hub) => hubs.includes(hub)).length >= witnessBlockingSetSize(terms),
  );
}
