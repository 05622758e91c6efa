// Test support: a kind of operation whose every effect is counted, in the database and outside of it.
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { ActionContext, Services } from '../../../actions/context.ts';
import { nouns } from '../../../actions/nouns.ts';
import type { Store } from '../../../store/open-store.ts';
import { inPlatform } from '../../../store/tenancy.ts';
import type { OperationKind } from '../kind.ts';

/** What a runner needs of the services: operations of these kinds change no network. */
export const bareServices = { newId: uuidv7, now: () => new Date(), nouns } as unknown as Services;

const input = z.strictObject({ directory: z.string() });

/** As a machine of a provider: reserved here, made there, waited for, noted here. */
export const makingKind: OperationKind<z.output<typeof input>> = {
  name: 'test_making',
  input,
  permission: 'system.instances.manage',
  steps: [
    {
      name: 'reserve',
      record: async (context, step) => {
        await recorded(context, step.key);
        return { kind: 'done', memory: { reserved: step.key } };
      },
    },
    {
      name: 'make',
      // The other side knows the key again, and makes nothing twice.
      act: async ({ input: of, key }) => {
        const file = path.join(of.directory, key.replace('/', '-'));
        appendFileSync(path.join(of.directory, 'calls'), `${key}\n`);
        if (!existsSync(file)) writeFileSync(file, uuidv7(), { flag: 'wx' });
        return readFileSync(file, 'utf8');
      },
      record: async (context, step, acted) => {
        await recorded(context, step.key);
        return { kind: 'done', memory: { ...step.memory, made: acted } };
      },
    },
    {
      name: 'wait',
      record: async (context, step) => {
        if (step.memory['waited'] === undefined) {
          const memory = { ...step.memory, waited: true };
          return { kind: 'wait', forMs: 1, detail: 'It is not there yet.', memory };
        }
        await recorded(context, step.key);
        return { kind: 'done', result: { made: step.memory['made'] } };
      },
    },
  ],
  cancel: {
    record: async (context, step) => {
      await recorded(context, step.key);
      return { kind: 'done' };
    },
  },
};

/** A row for each time that a step's transaction was committed, in a table of the account that takes any text. */
async function recorded(context: ActionContext, key: string): Promise<void> {
  await context.trx
    .insertInto('prefix_quarantine')
    .values({ account_id: context.accountId, prefix: `${key}/${uuidv7()}`, number_highest: 0 })
    .execute();
}

/** How often the transaction of each step was committed, by the step. */
export async function recordsOf(
  store: Pick<Store, 'db'>,
  operationId: string,
): Promise<Record<string, number>> {
  const { rows } = await inPlatform(store, (trx) =>
    sql<{ step: string; count: number }>`
      select split_part(prefix, '/', 2) as step, count(*)::int as count from prefix_quarantine
      where prefix like ${`${operationId}/%`} group by 1
    `.execute(trx),
  );
  return Object.fromEntries(rows.map(({ step, count }) => [step, count]));
}

/** What the other side has, and how often it was called. */
export function madeIn(directory: string) {
  const files = readdirSync(directory).filter((name) => name !== 'calls');
  const calls = existsSync(path.join(directory, 'calls'))
    ? readFileSync(path.join(directory, 'calls'), 'utf8').trim().split('\n')
    : [];
  return { made: files.map((name) => readFileSync(path.join(directory, name), 'utf8')), calls };
}
