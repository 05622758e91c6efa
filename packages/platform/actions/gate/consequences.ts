// What a change of one object means for others that nobody has touched, told as events in the transaction of the change.
import type { ActionContext } from '../context.ts';

/** To be called once all changes of the transaction are made. */
export async function noteConsequences(context: ActionContext): Promise<void> {
  if (context.changes.length === 0) return;
  for (const { consequences } of context.services.nouns) await consequences?.(context);
}
