// How fit the candidates of a virtual IP are, for actions. Only what was committed before is evaluated, so what the fleet
// in memory is has to be abreast of the account first.
import type { Candidate } from '@powernode/core/virtual-ips/candidates';
import type { Terms } from '@powernode/core/virtual-ips/terms';
import type { ActionContext } from '../../context.ts';
import type { VirtualIpRow } from './model.ts';

export function candidatesWith(context: ActionContext, row: VirtualIpRow): Candidate[] {
  return context.services.virtualIps.candidates(row);
}

/** The best one that can hold it, without those named. */
export function bestCandidate(
  context: ActionContext,
  row: VirtualIpRow,
  except: readonly (string | null)[],
): string | null {
  const fit = candidatesWith(context, row).filter(
    ({ peerId, score }) => score > 0 && !except.includes(peerId),
  );
  const best = fit.reduce<Candidate | null>((a, b) => (a === null || b.score > a.score ? b : a), null);
  return best?.peerId ?? null;
}

/** All that the holder may be acting on. When this process has not heard of everything in time: nobody knows what. */
export async function termsOfHolder(context: ActionContext, row: VirtualIpRow): Promise<readonly Terms[]> {
  const terms = context.services.virtualIps.terms(row);
  return (await context.isAbreast()) ? context.services.virtualIps.terms(row) : [...terms, 'unknown'];
}
