// Handler: the numbered changes of the account, with who made each and the machines that it reached.

import type { Actions } from '@powernode/core/actions/catalogue';
import type { OutputOf } from '@powernode/core/actions/define';
import { changeNodesMax } from '@powernode/core/limits/requests';
import { type SqlBool, sql } from 'kysely';
import type { ActionContext, Handler, Input } from '../context.ts';
import { numberedPage, numberOfCursor } from '../paging.ts';

export const listChanges: Handler<'listChanges'> = async (context, input) => {
  const found = await context.trx
    .selectFrom('changes')
    .select(['sequence', 'at', 'action', 'actor', 'correlation_id', 'networks', 'node_count'])
    .where('account_id', '=', context.accountId)
    .where(sql<SqlBool>`sequence = any(${sequencesOf(context, input)})`)
    .orderBy('sequence', 'desc')
    .execute();
  const { rows, answer } = numberedPage(found, input.limit);
  const nodes = await nodesOf(context, rows);
  const names = await networkNames(context, rows);
  return {
    changes: rows.map((row) => ({
      sequence: row.sequence,
      at: row.at.toISOString(),
      action: row.action,
      actor: row.actor,
      correlation_id: row.correlation_id,
      networks: row.networks.map((id) => ({ network_id: id, name: names.get(id) ?? null })),
      nodes: nodes.get(row.sequence) ?? [],
      node_count: row.node_count,
    })),
    ...answer,
    ...(answer.has_more ? {} : await deletedBefore(context, input.from_sequence ?? 1)),
  };
};

/** Numbers have no gap: what is missing before the lowest one was deleted because of its age. */
async function deletedBefore(
  { trx, accountId }: ActionContext,
  from: number,
): Promise<{ readonly deleted_to?: number }> {
  const { lowest } = await trx
    .selectFrom('changes')
    .select((eb) => eb.fn.min('sequence').as('lowest'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow();
  return lowest === null || lowest <= from ? {} : { deleted_to: lowest - 1 };
}

/** The numbers of the page and one more, each way of having reached a machine by its own index. */
function sequencesOf({ accountId }: ActionContext, input: Input<'listChanges'>) {
  const { network_id: networkId, instance_id: instanceId, from_sequence: from = 1 } = input;
  const ofNetwork = networkId === undefined ? sql`` : sql`and ${networkId}::uuid = any(c.networks)`;
  const window = sql`
    and c.sequence >= ${from} and c.sequence < ${numberOfCursor(input)} ${ofNetwork}
    order by c.sequence desc limit ${input.limit + 1}`;
  if (instanceId === undefined) {
    return sql`array(select c.sequence from changes c where c.account_id = ${accountId} ${window})`;
  }
  return sql`array(
    select sequence from (
      (
        select c.sequence from change_nodes n join changes c using (account_id, sequence)
        where c.account_id = ${accountId} and n.instance_id = ${instanceId} ${window}
      ) union (
        select c.sequence from changes c
        where c.account_id = ${accountId} and c.is_wide and exists (
          select from peers p
          where p.account_id = c.account_id and p.instance_id = ${instanceId}
            and p.network_id = any(c.networks) and p.attached_sequence <= c.sequence
        ) ${window}
      )
    ) found
    order by sequence desc limit ${input.limit + 1}
  )`;
}

type ListedNodes = OutputOf<Actions['listChanges']>['changes'][number]['nodes'];

interface Row {
  readonly sequence: number;
  readonly networks: readonly string[];
}

async function nodesOf(context: ActionContext, rows: readonly Row[]): Promise<Map<number, ListedNodes>> {
  const found = await context.trx
    .selectFrom('change_nodes as n')
    .leftJoin('instances as i', 'i.id', 'n.instance_id')
    .select(['n.sequence', 'n.instance_id', 'i.hostname'])
    .where('n.account_id', '=', context.accountId)
    .where((eb) => eb('n.sequence', '=', eb.fn.any(eb.val(rows.map(({ sequence }) => sequence)))))
    .orderBy('i.hostname')
    .execute();
  const bySequence = Map.groupBy(found, ({ sequence }) => sequence);
  return new Map(
    [...bySequence].map(([sequence, nodes]) => [
      sequence,
      nodes.slice(0, changeNodesMax).map(({ instance_id, hostname }) => ({ instance_id, hostname })),
    ]),
  );
}

async function networkNames(context: ActionContext, rows: readonly Row[]): Promise<Map<string, string>> {
  const ids = [...new Set(rows.flatMap(({ networks }) => networks))];
  const found = await context.trx
    .selectFrom('networks')
    .select(['id', 'name'])
    .where('account_id', '=', context.accountId)
    .where((eb) => eb('id', '=', eb.fn.any(eb.val(ids))))
    .execute();
  return new Map(found.map(({ id, name }) => [id, name]));
}
