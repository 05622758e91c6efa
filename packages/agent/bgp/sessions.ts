// Sessions of BGP as the platform is told of them: those of the document, by network and peer.
import { bgpClockSlackMs } from '@powernode/core/limits/agent';
import { prefixesReceivedMax, refusedMax, sessionErrorMax } from '@powernode/core/limits/routing';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { BgpSessionObservation } from '@powernode/core/wire/node-stream';
import { timestamp } from '../ports/clock.ts';
import type { BgpSession } from '../subsystems/frr/answers.ts';
import type { Refusal } from './refusals.ts';

/** What is known of the bgpd of a network. */
export interface SessionsView {
  readonly isReachable: boolean;
  readonly sessions: ReadonlyMap<string, BgpSession>;
  /** By neighbor. */
  readonly establishedAtMs: ReadonlyMap<string, number>;
  /** null: the neighbor announces nothing that it may not; undefined: that is not known. */
  refusalOf(neighbor: string): Refusal | null | undefined;
}

/** Since when sessions are established, by neighbor: daemons say how long ago, in whole seconds. */
export class EstablishedTimes {
  readonly #atMs = new Map<string, number>();

  get all(): ReadonlyMap<string, number> {
    return this.#atMs;
  }

  take({ neighbor, uptimeSeconds }: BgpSession, nowMs: number): void {
    if (uptimeSeconds === null) {
      this.#atMs.delete(neighbor);
      return;
    }
    const atMs = nowMs - uptimeSeconds * 1000;
    const before = this.#atMs.get(neighbor) ?? Number.NEGATIVE_INFINITY;
    if (Math.abs(atMs - before) > bgpClockSlackMs) this.#atMs.set(neighbor, atMs);
  }
}

/** `viewOf`: undefined where no bgpd is to run; `resetDone`: the last reset of a session that was done. */
export function sessionsOf(
  document: NodeDocument,
  viewOf: (networkId: string) => SessionsView | undefined,
  resetDone: (networkId: string, peerId: string) => string | undefined,
): BgpSessionObservation[] {
  return [...document.all('bgp_neighbor').values()].map(({ network_id, peer_id, host_address }) => {
    const view = viewOf(network_id);
    const session = view?.isReachable ? view.sessions.get(host_address) : undefined;
    const reset = resetDone(network_id, peer_id);
    const said = reset === undefined ? {} : { reset_done: reset };
    if (view === undefined || session === undefined) return { network_id, peer_id, ...absent, ...said };
    const atMs = session.state === 'Established' ? view.establishedAtMs.get(host_address) : undefined;
    return {
      network_id,
      peer_id,
      state: session.state,
      established_at: atMs === undefined ? null : timestamp(atMs),
      prefixes_received: Math.min(session.prefixesReceived, prefixesReceivedMax),
      last_error: session.lastError?.slice(0, sessionErrorMax) ?? null,
      ...refusedOf(view.refusalOf(host_address)),
      ...said,
    };
  });
}

function refusedOf(refusal: Refusal | null | undefined): Pick<BgpSessionObservation, 'refused'> {
  if (refusal === undefined) return {};
  if (refusal === null) return { refused: null };
  const { ipv4, ipv6, sinceMs } = refusal;
  return {
    refused: {
      ipv4: Math.min(ipv4, refusedMax),
      ipv6: Math.min(ipv6, refusedMax),
      since: timestamp(sinceMs),
    },
  };
}

const absent = {
  state: 'Idle' as const,
  established_at: null,
  prefixes_received: 0,
  last_error: 'bgpd does not run on this instance, or does not have this session yet.',
};
