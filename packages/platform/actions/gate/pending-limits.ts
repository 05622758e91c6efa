// How many requests may wait: more than people read are no requests any more, and all of them are looked at when objects
// change. Those of models count apart, so that a model is in nobody's way but its own.
import { ProductError } from '@powernode/core/errors';
import {
  pendingOfModelsPerAccountMax,
  pendingPerAccountMax,
  pendingPerRequesterMax,
} from '@powernode/core/limits/requests';
import { sql } from 'kysely';
import type { ActionContext } from '../context.ts';

/** Requests that are made at the same moment may pass together; the next one does not. */
export async function refuseTooMany(context: ActionContext, ofModel: boolean): Promise<void> {
  const { operatorId } = context.caller;
  const waiting = await context.trx
    .selectFrom('approvals')
    .select([
      sql<number>`count(*)::int`.as('all'),
      sql<number>`(count(*) filter (where requested_by = ${operatorId}))::int`.as('own'),
    ])
    .where('account_id', '=', context.accountId)
    .where('status', '=', 'pending')
    .where('of_model', '=', ofModel)
    .where('expires_at', '>', context.now)
    .executeTakeFirstOrThrow();
  const whose = ofModel ? 'requests of models' : 'requests';
  if (waiting.own >= pendingPerRequesterMax) throw tooMany(`${waiting.own} of your ${whose}`);
  const allMax = ofModel ? pendingOfModelsPerAccountMax : pendingPerAccountMax;
  if (waiting.all >= allMax) throw tooMany(`${waiting.all} ${whose} of this account`);
}

function tooMany(what: string): ProductError {
  return new ProductError(
    'conflict',
    `${what} are pending, which is the limit. Have some of them decided (in the console under Approvals, or with: powernode approval decide), or wait until they expire.`,
  );
}
