// Route policies, as the shared parts know them; and what else there is of routing.
import type { Noun } from '../../context.ts';
import { rowsInNetwork } from '../rows-in-network.ts';
import { accountBgpHandlers } from './account-bgp.ts';
import { compiledPolicyHandlers } from './compiled-policies.ts';
import { noteRoutePolicies } from './dependents.ts';
import { loadRoutePolicies } from './model.ts';
import { routePolicyHandlers } from './route-policies.ts';
import { routeHandlers } from './routes.ts';
import { loadSessionResets } from './session-resets.ts';
import { sessionHandlers } from './sessions.ts';

export const routePolicyNoun = {
  kind: 'route_policy',
  table: 'route_policies',
  handlers: {
    ...routePolicyHandlers,
    ...compiledPolicyHandlers,
    ...accountBgpHandlers,
    ...routeHandlers,
    ...sessionHandlers,
  },
  items: async (trx) => [...(await loadRoutePolicies(trx)), ...(await loadSessionResets(trx))],
  dependents: noteRoutePolicies,
  inNetwork: rowsInNetwork('route_policies', 'route policy'),
} satisfies Noun;
