// What an action makes that is shown once: to whoever asked for it, as the answer, or later when an approval came
// between. Then only the digest of a secret that nobody has is stored, until the requester fetches its own.
import { secretFetchMs } from '@powernode/core/limits/requests';
import type { ActionContext } from './context.ts';

type Context = Pick<ActionContext, 'dryRun' | 'isApproved' | 'now'>;

const notShown = {
  dryRun: '(created and shown when the action runs)',
  approved: '(shown once, to the requester, by system_get_approval)',
} as const;

/** Whose secret is fetched, and for how long it lets in from then on. */
export interface OnceRenewal {
  readonly id: string;
  readonly seconds: number | undefined;
}

/** The secret as the action's answer has it. */
export function shownOnce({ dryRun, isApproved }: Context, secret: string): string {
  if (dryRun) return notShown.dryRun;
  return isApproved ? notShown.approved : secret;
}

/** When it ends: its time begins when its secret is shown, and the object stays until that must have been fetched. */
export function onceExpiry({ isApproved, now }: Context, seconds: number): Date {
  return new Date(now.getTime() + seconds * 1000 + (isApproved ? secretFetchMs : 0));
}

/** What is made with a token that expires expires with it. */
export function notAfterToken({ caller }: Pick<ActionContext, 'caller'>, at: Date): Date {
  const { expiresAt } = caller.token;
  return expiresAt !== null && expiresAt < at ? expiresAt : at;
}

/** When it ends after all, as its secret is shown now. */
export function fetchedExpiry<T extends Date | null>(
  { now }: Context,
  of: { readonly seconds: number | undefined; readonly atMost: T },
): T | Date {
  if (of.seconds === undefined || of.atMost === null) return of.atMost;
  return new Date(Math.min(now.getTime() + of.seconds * 1000, of.atMost.getTime()));
}
