// Handlers: the AS number of the account, which all its networks with iBGP use.
import { ProductError } from '@powernode/core/errors';
import type { AccountBgp } from '@powernode/core/intent/bgp';
import { localPreferenceDefault } from '@powernode/core/limits/routing';
import { referenceFaults } from '@powernode/core/routing/references';
import type { Selectable } from 'kysely';
import type { Database } from '../../../store/tables.ts';
import { type ActionContext, checkRevision, type HandlersOf } from '../../context.ts';
import { networkModel } from '../networks/model.ts';
import { sessionEndsOf } from './session-ends.ts';

/** More are counted and not named. */
const policiesNamedMax = 10;

export const accountBgpHandlers: HandlersOf<'getAccountBgp' | 'updateAccountAsNumber'> = {
  async getAccountBgp(context) {
    return { account_bgp: showAccountBgp(await accountRow(context)) };
  },

  async updateAccountAsNumber(context, input) {
    await context.lock();
    const before = await accountRow(context);
    checkRevision(before, input);
    if (input.as_number === before.as_number) return { account_bgp: showAccountBgp(before) };
    await refusePrepended(context, input.as_number);
    const after = await context.trx
      .updateTable('accounts')
      .set({ as_number: input.as_number, updated_at: context.now, revision: before.revision + 1 })
      .where('id', '=', context.accountId)
      .returning(columns)
      .executeTakeFirstOrThrow();
    await changeNetworks(context, after.as_number);
    const shown = showAccountBgp(after);
    context.event('sdwan.account_bgp.updated', { before: showAccountBgp(before), after: shown });
    return { account_bgp: shown };
  },
};

const columns = ['id', 'as_number', 'created_at', 'updated_at', 'revision'] as const;
type AccountRow = Pick<Selectable<Database['accounts']>, (typeof columns)[number]>;

function accountRow({ trx, accountId }: ActionContext): Promise<AccountRow> {
  return trx.selectFrom('accounts').select(columns).where('id', '=', accountId).executeTakeFirstOrThrow();
}

/** A path with the account's own number in its AS path is a loop to every peer (RFC 4271 §9.1.2). */
async function refusePrepended(context: ActionContext, asNumber: number): Promise<void> {
  const rows = await context.trx
    .selectFrom('route_policies')
    .select(['id', 'name', 'statements'])
    .where('account_id', '=', context.accountId)
    .orderBy('id')
    .execute();
  const places = rows.flatMap(({ id, name, statements }) =>
    referenceFaults(statements, { as_number: asNumber, peers: new Map() })
      .filter(({ path }) => path.endsWith('.set.prepend'))
      .map(({ path }) => ({ route_policy_id: id, name, path })),
  );
  const [first, ...more] = places;
  if (first === undefined) return;
  const others = more.length === 0 ? '' : `, and ${more.length} other places,`;
  throw new ProductError(
    'conflict',
    `${first.path} of the route policy "${first.name}"${others} prepends the AS number ${asNumber}: change that first, or choose another number.`,
    {
      fields: [{ path: 'as_number', code: 'prepended', message: 'is prepended by a route policy' }],
      members: { route_policies: places.slice(0, policiesNamedMax) },
    },
  );
}

/** All that speak BGP: their sessions are another's with another number, so that each ends and begins anew. */
async function changeNetworks(context: ActionContext, asNumber: number): Promise<void> {
  const networks = await context.trx
    .selectFrom('networks')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('routing_mode', '=', 'ibgp')
    .orderBy('id')
    .execute();
  for (const network of networks) {
    context.change({ kind: 'network_updated', network: networkModel(network, asNumber) });
    const index = context.services.deliverer.network(network.id);
    const sessions = index === undefined ? 0 : [...sessionEndsOf(index)].length / 2;
    if (sessions === 0) continue;
    const ending = sessions === 1 ? 'The one BGP session' : `All ${sessions} BGP sessions`;
    const ends = sessions === 1 ? 'ends and is' : 'end and are';
    context.note(
      'sessions_end',
      `${ending} of "${network.name}" ${ends} established again with the AS number ${asNumber}; until then its peers use no prefixes of each other.`,
    );
  }
}

function showAccountBgp(row: AccountRow): AccountBgp {
  return {
    id: row.id,
    account_id: row.id,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    revision: row.revision,
    as_number: row.as_number,
    router_id_strategy: 'host_address',
    default_local_pref: localPreferenceDefault,
  };
}
