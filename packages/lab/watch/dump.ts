// Listings of `ip` that are whole. A kernel whose links or addresses change while they are listed says so, or `ip` finds
// that one of them is gone; what it has printed until then lacks some.
import { setTimeout as delay } from 'node:timers/promises';
import { ProductError } from '@powernode/core/errors';
import { labPollMs } from '@powernode/core/limits/lab';
import type { Outcome } from '../stage/run.ts';

/** A host that starts changes its links for some hundred milliseconds at a time; a second of changes is a fault. */
const looksMax = 20;

export interface Listing {
  readonly node: string;
  /** The first process of the node; null: it is off. */
  readonly holder: () => { readonly pid: number } | null;
  readonly list: (pid: number) => Promise<Outcome>;
}

/** What was printed by the first listing that is whole; null: the node is off. */
export async function wholeListing({ node, holder, list }: Listing): Promise<string | null> {
  for (let looks = 1; ; looks++) {
    const found = holder();
    if (found === null) return null;
    const { exitCode, stdout, stderr } = await list(found.pid);
    if (exitCode === 0 && !stderr.includes('Dump was interrupted')) return stdout;
    if (looks >= looksMax && holder() !== null) {
      const said = stderr.trim() || `exit code ${exitCode}`;
      throw new ProductError('command_failed', `listing what ${node} has, ${looks} times: ${said}`);
    }
    await delay(labPollMs);
  }
}
