// The account's numbered changes: whoever writes what networks should be from here on takes the next number, and leaves
// what follows under it. Both in the transaction of the rows.
import type { Change } from '@powernode/core/compile/fleet-index';
import { sql } from 'kysely';
import type { Trx } from './context.ts';

/** Takes the account's lock with it. */
export async function nextSequence(trx: Trx, accountId: string): Promise<number> {
  const row = await trx
    .updateTable('accounts')
    .set({ change_sequence: sql<number>`change_sequence + 1` })
    .where('id', '=', accountId)
    .returning('change_sequence')
    .executeTakeFirstOrThrow();
  return row.change_sequence;
}

export async function writeChanges(
  trx: Trx,
  of: {
    readonly accountId: string;
    readonly sequence: number;
    readonly changes: readonly Change[];
    /** Left out: as the database has it. */
    readonly at?: Date;
  },
): Promise<void> {
  const { accountId, sequence, changes, at } = of;
  const when = at === undefined ? {} : { at };
  await trx
    .insertInto('changes')
    .values({ account_id: accountId, sequence, changes: JSON.stringify(changes), ...when })
    .execute();
}
