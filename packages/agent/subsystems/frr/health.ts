// How FRR is on this machine, as a part of it among others: which version runs for which networks, or what keeps it from
// running.
import type { NodeDocument } from '@powernode/core/wire/node-document';

export const frrName = 'frr';
export const frrStates = ['ok', 'degraded', 'failed'] as const;

export interface FrrHealth {
  /** degraded: routes are static instead; failed: FRR does not run what it should. */
  readonly state: (typeof frrStates)[number];
  readonly message: string;
}

/** After the last network of the machine has ended to speak BGP. */
export const frrUnused: FrrHealth = { state: 'ok', message: 'No network of this instance uses iBGP.' };

export function frrHealth(parts: {
  readonly problems: readonly { readonly code: string; readonly detail: string }[];
  /** As FRR writes it; null: nobody has looked yet. */
  readonly version: string | null;
  /** Names of the networks that speak BGP. */
  readonly networks: readonly string[];
}): FrrHealth {
  const { problems, version } = parts;
  const networks = [...parts.networks].sort().join(', ');
  if (problems.length > 0) {
    const isRefused = problems.some(({ code }) => code === 'routing_daemon_refused');
    const details = [...new Set(problems.map(({ detail }) => detail))];
    return { state: isRefused ? 'failed' : 'degraded', message: details.join(' ') };
  }
  const running = version === null ? 'FRR is being started' : `FRR ${version}`;
  return { state: 'ok', message: `${running}, iBGP in ${networks}` };
}

/** The interface of a network that has its address, by which engineers know the network. */
export function leafOf(document: NodeDocument, networkId: string): string {
  const leaf = document.inNetwork('interface', networkId).find(({ purpose }) => purpose === 'leaf');
  return leaf?.name ?? networkId;
}
