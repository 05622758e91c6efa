// How FRR is on this machine, as a part of it among others: which version runs for which networks, or what keeps it from
// running.
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { FoundProblem } from '../observe/problems.ts';
import type { FrrFound } from './frr.ts';

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
  readonly problems: readonly FoundProblem[];
  /** null: nobody has looked yet. */
  readonly found: FrrFound | null;
  /** Names of the networks that speak BGP. */
  readonly networks: readonly string[];
}): FrrHealth {
  const { problems, found } = parts;
  const networks = [...parts.networks].sort().join(', ');
  if (problems.length > 0) {
    const isRefused = problems.some(({ code }) => code === 'routing_daemon_refused');
    const details = [...new Set(problems.map(({ detail }) => detail))];
    return { state: isRefused ? 'failed' : 'degraded', message: details.join(' ') };
  }
  const version = found?.kind === 'usable' ? `FRR ${found.version}` : 'FRR is being started';
  return { state: 'ok', message: `${version}, iBGP in ${networks}` };
}

/** The interface of a network that has its address, by which engineers know the network. */
export function leafOf(document: NodeDocument, networkId: string): string {
  const leaf = document.inNetwork('interface', networkId).find(({ purpose }) => purpose === 'leaf');
  return leaf?.name ?? networkId;
}
