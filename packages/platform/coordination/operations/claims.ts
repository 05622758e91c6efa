// Whose turn it is: a process claims an operation that is due, says that it lives while it runs a step, and writes only as
// long as the claim is its own. By the database's clock, which all processes share.
import { operationClaimMs, operationsAtOncePerAccountMax } from '@powernode/core/limits/coordination';
import { sql } from 'kysely';
import type { Store } from '../../store/open-store.ts';
import { inPlatform } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';
import type { OperationRow } from './rows.ts';

export interface Claimed extends OperationRow {
  readonly claim: string;
}

const lease = sql`${operationClaimMs} * interval '1 millisecond'`;

/**
 * The operation that is due for longest; null: none is. A claim that was not given back, because its process died, counts
 * as an attempt, so that a step that kills its process is not run for ever.
 */
export function claimDue(
  store: Pick<Store, 'db'>,
  of: { readonly kinds: readonly string[]; readonly claim: string },
): Promise<Claimed | null> {
  return inPlatform(store, async (trx) => {
    const { rows } = await sql<Claimed>`
      update operations o
      set claim = ${of.claim}, claimed_until = clock_timestamp() + ${lease}, state = 'running',
          attempts = o.attempts + (o.claim is not null)::int
      where o.id = (
        select due.id from operations due
        where due.ended_at is null and due.due_at <= clock_timestamp()
          and (due.claimed_until is null or due.claimed_until < clock_timestamp())
          and due.kind = any(${[...of.kinds]}::text[])
          and ${operationsAtOncePerAccountMax} > (
            select count(*) from operations other
            where other.account_id = due.account_id and other.ended_at is null
              and other.claimed_until >= clock_timestamp()
          )
        order by due.due_at limit 1
        for update skip locked
      )
      returning o.*
    `.execute(trx);
    return rows[0] ?? null;
  });
}

/** False: it is somebody else's by now, or over. */
export function renewClaim(store: Pick<Store, 'db'>, { id, claim }: Claimed): Promise<boolean> {
  return inPlatform(store, async (trx) => {
    const { numAffectedRows } = await sql`
      update operations set claimed_until = clock_timestamp() + ${lease}
      where id = ${id} and claim = ${claim} and ended_at is null
    `.execute(trx);
    return (numAffectedRows ?? 0n) > 0n;
  });
}

/** Any process may go on with it at once. */
export async function releaseClaim(store: Pick<Store, 'db'>, { id, claim }: Claimed): Promise<void> {
  await inPlatform(store, (trx) =>
    sql`update operations set claim = null, claimed_until = null where id = ${id} and claim = ${claim}`.execute(
      trx,
    ),
  );
}

export interface KeepParts {
  readonly store: Pick<Store, 'db'>;
  readonly clock: Clock;
}

/**
 * Renews the claim until the function that it answers is called. Calls `lost` when it is not this process's any more, and
 * when the database could not be asked for so long that it may not be.
 */
export function keepClaim(parts: KeepParts, claimed: Claimed, lost: () => void): () => void {
  const { store, clock } = parts;
  let isEnded = false;
  let callOff = () => {};
  let untilMs = clock.steady() + operationClaimMs;
  const renew = async () => {
    const askedMs = clock.steady();
    try {
      if (!(await renewClaim(store, claimed))) return lost();
      untilMs = askedMs + operationClaimMs;
    } catch {
      if (clock.steady() >= untilMs) return lost();
    }
    again();
  };
  const again = () => {
    if (!isEnded) callOff = clock.after(operationClaimMs / 3, () => void renew());
  };
  again();
  return () => {
    isEnded = true;
    callOff();
  };
}
