// How fit the candidates of a virtual IP are, for actions. Only what was committed before is judged, so what the fleet
// in memory is has to be abreast of the account first.
import { commitsWaitMs } from '@powernode/core/limits';
import type { Candidate } from '@powernode/core/virtual-ips/candidates';
import type { Terms } from '@powernode/core/virtual-ips/terms';
import type { VirtualIpRow } from '../../../deliver/item-models.ts';
import type { ActionContext } from '../../context.ts';

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
  return (await isAbreast(context)) ? context.services.virtualIps.terms(row) : [...terms, 'unknown'];
}

const waits = new WeakMap<ActionContext, Promise<boolean>>();

/**
 * Whether the fleet in memory is as everything that was committed before the change under way made it. Others of the
 * account wait for its lock meanwhile, so it is waited for once, however many virtual IPs there are.
 */
export function isAbreast(context: ActionContext): Promise<boolean> {
  const waiting = waits.get(context) ?? waitUntilAbreast(context);
  waits.set(context, waiting);
  return waiting;
}

async function waitUntilAbreast(context: ActionContext): Promise<boolean> {
  const before = (await context.lock()) - 1;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), commitsWaitMs);
  });
  const caughtUp = context.services.deliverer.caughtUp(context.accountId, before).then(() => true);
  try {
    return await Promise.race([caughtUp, late]);
  } finally {
    clearTimeout(timer);
  }
}
