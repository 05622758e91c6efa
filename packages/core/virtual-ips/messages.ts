// Messages for operators about a virtual IP that moves or cannot move. Names are hostnames. Pure.
import type { PeerId } from '../ids.ts';
import { candidatesOf, counted } from './candidates.ts';
import type { Health } from './health.ts';
import type { Phase, State } from './state.ts';

function nameOf(state: State, peerId: PeerId): string {
  return state.peers.get(peerId)?.hostname ?? state.names.get(peerId) ?? `peer ${peerId}`;
}

function hubs(state: State, ids: readonly PeerId[]): string {
  return ids.map((id) => state.names.get(id) ?? nameOf(state, id)).join(', ');
}

export const messages = {
  notReachable(state: State, holder: PeerId, health: Health): string {
    const by = hubs(state, health.unreachableFrom);
    const who = [by, health.renewalLapsed ? 'the platform' : ''].filter((part) => part !== '').join(' and ');
    return `The holder ${nameOf(state, holder)} does not answer ${who}.`;
  },

  checkFails: (state: State, holder: PeerId) =>
    `The health check of ${nameOf(state, holder)} fails${state.check?.lastError == null ? '' : `: ${state.check.lastError}`}.`,

  onlyCandidate: () => 'It has no other candidate, so it does not move.',

  noOtherAvailable(state: State, holder: PeerId, now: number): string {
    const others = candidatesOf(state, now).filter(({ peerId }) => peerId !== holder);
    return `No other candidate can take it: ${others.map((one) => `${nameOf(state, one.peerId)} (${one.reasons.join(', ')})`).join('; ')}.`;
  },

  blocked: () => 'The policy system.sdwan_vip_failover is "blocked", so it only moves manually.',

  holdDown: (state: State) =>
    `It has just moved, and moves automatically only ${counted(state.row.holdDownMs / 1000, 'second')} after that.`,

  moves: (state: State, target: PeerId, why: string) => `${why} It goes to ${nameOf(state, target)}.`,

  waitsForApproval: (state: State, target: PeerId) =>
    `Waiting for approval to move to ${nameOf(state, target)}.`,

  requestRejected: (state: State, target: PeerId) =>
    `The request to move it to ${nameOf(state, target)} was not granted. Move it with system_sdwan_failover_virtual_ip.`,

  releaseNotProven: (state: State, holder: PeerId) =>
    `It moves once it is certain that ${nameOf(state, holder)} no longer answers for it: by its own report, or by the reports of a quorum of connected hubs.`,

  waitsForRelease(state: State, peerId: PeerId, onlyByAcknowledgement: boolean): string {
    const name = nameOf(state, peerId);
    const how = onlyByAcknowledgement
      ? `No hub can confirm that; bring ${name} back, or terminate its instance if it is permanently lost.`
      : 'A quorum of hubs has to be connected and report it silent, or it has to report so itself.';
    return `Waiting until ${name} has certainly released it. ${how}`;
  },

  noPreviousHolder: () => 'It had no holder.',

  noneAvailable(state: State, now: number): string {
    const all = candidatesOf(state, now);
    if (all.length === 0) return 'None of its candidates is in the network any longer.';
    return `No candidate can hold it: ${all.map((one) => `${nameOf(state, one.peerId)} (${one.reasons.join(', ')})`).join('; ')}.`;
  },

  noCandidate: (state: State, holder: PeerId) => `${nameOf(state, holder)} is no longer a candidate.`,

  healthUnknown(
    state: State,
    holder: PeerId,
    health: Health,
  ): { readonly phase: Phase; readonly detail: string } {
    const name = nameOf(state, holder);
    if (health.unreachableFrom.length + health.reachableFrom.length + health.noReportFrom.length === 0) {
      const detail = `${name} is offline, and no hub reports on it: whether it answers is unknown.`;
      return { phase: 'active', detail };
    }
    const missing =
      health.noReportFrom.length === 0 ? '' : ` No report from ${hubs(state, health.noReportFrom)}.`;
    if (!health.renewalLapsed)
      return { phase: 'active', detail: `${name} is connected to the platform.${missing}` };
    return { phase: 'error', detail: `Whether ${name} still answers is unknown.${missing}` };
  },

  notYetApplied(state: State, holder: PeerId): string {
    const isConnected = state.peers.get(holder)?.connected === true;
    const who = `${nameOf(state, holder)}${isConnected ? '' : ', which is offline,'}`;
    return `Waiting until ${who} has applied it.`;
  },

  drained: (state: State, holder: PeerId, target: PeerId) =>
    `${nameOf(state, holder)} is being drained. It goes to ${nameOf(state, target)}.`,

  preempts: (state: State, target: PeerId) =>
    `${nameOf(state, target)} is healthy again and has a higher priority than its holder.`,

  healthyAgain: (state: State, holder: PeerId) =>
    `${nameOf(state, holder)} holds it and is healthy, so it does not move.`,

  targetUnavailable: (state: State, target: PeerId) => `${nameOf(state, target)} cannot hold it now.`,
} as const;
