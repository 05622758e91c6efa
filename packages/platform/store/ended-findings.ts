// Findings that hold as long as something else in the database says so: the ids that they have, and the rows that stay of
// them when they are over. While they hold they have no row of their own.
import { createHash } from 'node:crypto';
import type { AccountId, NetworkId } from '@powernode/core/ids';
import type { Finding, FoundObject, LiveFindingKind } from '@powernode/core/intent/findings';
import type { Transaction } from 'kysely';
import type { Database } from './tables.ts';

/** The same as long as it holds, and afterwards: a UUID of version 7 with the time when it began (RFC 9562 §5.7). */
export function findingIdOf(of: {
  readonly kind: string;
  readonly objectId: string;
  readonly beganAt: Date;
}): string {
  const time = of.beganAt.getTime().toString(16).padStart(12, '0');
  const digest = createHash('sha256').update(`finding/${of.kind}/${of.objectId}/${time}`).digest('hex');
  const random = `7${digest.slice(0, 3)}-8${digest.slice(3, 6)}-${digest.slice(6, 18)}`;
  return `${time.slice(0, 8)}-${time.slice(8)}-${random}`;
}

export interface EndedFinding {
  readonly accountId: AccountId;
  readonly networkId: NetworkId;
  readonly kind: LiveFindingKind;
  readonly severity: Finding['severity'];
  readonly object: FoundObject;
  readonly detail: string;
  readonly beganAt: Date;
  readonly recoveredAt: Date;
}

/** In the transaction that ends them. One that another process has written already is left alone. */
export async function keepEnded(
  trx: Transaction<Database>,
  findings: readonly EndedFinding[],
): Promise<void> {
  if (findings.length === 0) return;
  await trx
    .insertInto('findings')
    .values(
      findings.map(({ accountId, networkId, kind, severity, object, detail, beganAt, recoveredAt }) => ({
        id: findingIdOf({ kind, objectId: object.id, beganAt }),
        account_id: accountId,
        network_id: networkId,
        ...{ kind, severity, detail },
        mark: `${kind} ${object.id}`,
        object: JSON.stringify(object),
        cause: null,
        began_at: beganAt,
        recovered_at: recoveredAt,
        updated_at: recoveredAt,
        revision: 2,
      })),
    )
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}
