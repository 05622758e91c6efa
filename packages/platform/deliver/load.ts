// Takes everything that delivery needs from the database at a start, as it was at one moment.

import { ProductError } from '@powernode/core/errors';
import type { AccountId, InstanceId, PeerId, PublicKey } from '@powernode/core/ids';
import { changesKeptPerAccount, changesReadMax } from '@powernode/core/limits/node-stream';
import type { Selectable, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Store } from '../store/open-store.ts';
import type { Database } from '../store/tables.ts';
import { inAccount, inPlatform, inPlatformAtOneMoment } from '../store/tenancy.ts';
import type { NumberedChanges } from './nodes/account-queue.ts';
import type { ChangeSource } from './nodes/dispatcher.ts';
import type { FleetModel } from './nodes/replay.ts';

export type InstanceFacts = Pick<
  Selectable<Database['instances']>,
  | 'id'
  | 'account_id'
  | 'hostname'
  | 'capability'
  | 'applied_revision'
  | 'applied_hash'
  | 'last_heartbeat_at'
  | 'offline_since'
  | 'subsystems'
  | 'terminated_at'
>;

const instanceColumns = [
  'id',
  'account_id',
  'hostname',
  'capability',
  'applied_revision',
  'applied_hash',
  'last_heartbeat_at',
  'offline_since',
  'subsystems',
  'terminated_at',
] as const;

export interface Loaded {
  readonly sequences: ReadonlyMap<AccountId, number>;
  readonly model: FleetModel;
  /** The newest changes of each account, oldest first. */
  readonly changes: readonly NumberedChanges[];
  readonly instances: readonly InstanceFacts[];
  /** By public key. */
  readonly lastHandshakes: ReadonlyMap<PublicKey, number>;
  /** By peer: since when it is unreachable, by the events so far. */
  readonly unreachable: ReadonlyMap<PeerId, number>;
}

/** Reads what the compiler takes, of all networks that the transaction sees. */
export type LoadFleet = (trx: Transaction<Database>) => Promise<FleetModel>;

export function loadDelivery(store: Pick<Store, 'db'>, loadFleet: LoadFleet): Promise<Loaded> {
  return inPlatformAtOneMoment(store, async (trx) => {
    const accounts = await trx.selectFrom('accounts').select(['id', 'change_sequence']).execute();
    const instances = await trx
      .selectFrom('instances')
      .select(instanceColumns)
      .where('terminated_at', 'is', null)
      .execute();
    return {
      sequences: new Map(accounts.map((account) => [account.id, account.change_sequence])),
      model: await loadFleet(trx),
      changes: await loadChanges(trx),
      instances,
      lastHandshakes: await loadHandshakes(trx),
      unreachable: await loadUnreachable(trx),
    };
  });
}

async function loadChanges(trx: Transaction<Database>): Promise<NumberedChanges[]> {
  const rows = await trx
    .selectFrom('accounts as a')
    .innerJoin('changes as c', (join) =>
      join
        .onRef('c.account_id', '=', 'a.id')
        .on('c.sequence', '>', sql<number>`a.change_sequence - ${changesKeptPerAccount}`),
    )
    .select(['c.sequence', 'c.changes'])
    .orderBy('c.account_id')
    .orderBy('c.sequence')
    .execute();
  return rows;
}

async function loadHandshakes(trx: Transaction<Database>): Promise<Map<PublicKey, number>> {
  const rows = await trx
    .selectFrom('tunnel_observations')
    .select((eb) => ['public_key', eb.fn.max('last_handshake_at').as('last')])
    .where('last_handshake_at', 'is not', null)
    .groupBy('public_key')
    .execute();
  return new Map(
    rows.flatMap(({ public_key, last }) => (last === null ? [] : [[public_key, last.getTime()]])),
  );
}

async function loadUnreachable(trx: Transaction<Database>): Promise<Map<PeerId, number>> {
  const rows = await trx
    .selectFrom('peers')
    .select(['id', 'unreachable_since'])
    .where('unreachable_since', 'is not', null)
    .execute();
  return new Map(
    rows.flatMap(({ id, unreachable_since: since }) => (since === null ? [] : [[id, since.getTime()]])),
  );
}

/** One machine's facts, for one that joined after the start. */
export async function loadInstance(
  store: Pick<Store, 'db'>,
  instance: { readonly accountId: AccountId; readonly instanceId: InstanceId },
): Promise<InstanceFacts | null> {
  const row = await inAccount(store, instance.accountId, (trx) =>
    trx
      .selectFrom('instances')
      .select(instanceColumns)
      .where('id', '=', instance.instanceId)
      .executeTakeFirst(),
  );
  return row ?? null;
}

/**
 * Changes as they are in the database, for closing gaps. `onDeleted`: a process that was away for longer than they are kept
 * (its machine was suspended) cannot follow any more, and has to start anew.
 */
export function changeSource(store: Pick<Store, 'db'>, onDeleted: (why: ProductError) => void): ChangeSource {
  return {
    read: async (accountId, after) => {
      const rows = await inAccount(store, accountId, (trx) =>
        trx
          .selectFrom('changes')
          .select(['sequence', 'changes'])
          .where('account_id', '=', accountId)
          .where('sequence', '>', after)
          .orderBy('sequence')
          .limit(changesReadMax)
          .execute(),
      );
      const [first] = rows;
      if (first === undefined || first.sequence === after + 1) return rows;
      const why = new ProductError(
        'conflict',
        `This process has taken the changes of the account ${accountId} up to ${after}, and those before ${first.sequence} are not kept any more (retention.changes_days). Start it anew: it begins with the present state.`,
      );
      onDeleted(why);
      throw why;
    },
    sequences: () =>
      inPlatform(store, async (trx) => {
        const rows = await trx.selectFrom('accounts').select(['id', 'change_sequence']).execute();
        return rows.map((row) => ({ accountId: row.id, sequence: row.change_sequence }));
      }),
  };
}
