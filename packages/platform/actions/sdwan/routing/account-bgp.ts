// Handlers: the AS number of the account, which all its networks with iBGP use.
import type { AccountBgp } from '@powernode/core/intent/bgp';
import { localPreferenceDefault } from '@powernode/core/limits/routing';
import type { ActionContext, HandlersOf } from '../../context.ts';
import { accountAsNumber, networkModel } from '../networks/model.ts';
import { sessionEndsOf } from './session-ends.ts';

export const accountBgpHandlers: HandlersOf<'getAccountBgp' | 'updateAccountAsNumber'> = {
  async getAccountBgp(context) {
    return { account_bgp: showAccountBgp(await accountAsNumber(context.trx, context.accountId)) };
  },

  async updateAccountAsNumber(context, input) {
    await context.lock();
    const before = await accountAsNumber(context.trx, context.accountId);
    const after = input.as_number;
    const shown = showAccountBgp(after);
    if (after === before) return { account_bgp: shown };
    const { revision } = await context.trx
      .selectFrom('accounts')
      .select('revision')
      .where('id', '=', context.accountId)
      .executeTakeFirstOrThrow();
    await context.trx
      .updateTable('accounts')
      .set({ as_number: after, updated_at: context.now, revision: revision + 1 })
      .where('id', '=', context.accountId)
      .execute();
    await changeNetworks(context, after);
    context.event('sdwan.account_bgp.updated', { before: showAccountBgp(before), after: shown });
    return { account_bgp: shown };
  },
};

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

function showAccountBgp(asNumber: number): AccountBgp {
  return {
    as_number: asNumber,
    router_id_strategy: 'host_address',
    default_local_pref: localPreferenceDefault,
  };
}
