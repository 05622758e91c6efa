// Every noun, as it describes itself in its own folder: what its actions do, and what shared parts have to know of it.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import { accountHandlers } from './accounts/accounts.ts';
import { apiTokenHandlers } from './accounts/api-tokens.ts';
import { policyHandlers } from './autonomy/policies.ts';
import type { Handlers, Noun } from './context.ts';
import { drainInstance } from './fleet/drain.ts';
import { fleetHandlers } from './fleet/fleet.ts';
import { retryRolledBack } from './fleet/retry-rolled-back.ts';
import { accessGrantHandlers } from './sdwan/devices/access-grants.ts';
import { userDeviceNoun } from './sdwan/devices/noun.ts';
import { firewallRuleNoun } from './sdwan/firewall/noun.ts';
import { networkNoun } from './sdwan/networks/noun.ts';
import { peerNoun } from './sdwan/peers/noun.ts';
import { portMappingNoun } from './sdwan/port-mappings/noun.ts';
import { routePolicyNoun } from './sdwan/routing/noun.ts';
import { rowsInNetwork } from './sdwan/rows-in-network.ts';
import { subnetNoun } from './sdwan/subnets/noun.ts';
import { virtualIpNoun } from './sdwan/virtual-ips/noun.ts';

/** Notes of plans and events of consequences are in this order. */
const described = [
  { kind: 'operator', table: 'operators', handlers: accountHandlers, isAcrossAccounts: true },
  { kind: 'api_token', table: 'api_tokens', handlers: apiTokenHandlers, isAcrossAccounts: true },
  { kind: 'policy', table: 'policies', handlers: policyHandlers },
  {
    kind: 'instance',
    table: 'instances',
    handlers: { ...fleetHandlers, drainInstance, retryRolledBack },
  },
  networkNoun,
  peerNoun,
  firewallRuleNoun,
  virtualIpNoun,
  portMappingNoun,
  subnetNoun,
  routePolicyNoun,
  {
    kind: 'access_grant',
    table: 'access_grants',
    handlers: accessGrantHandlers,
    inNetwork: rowsInNetwork('access_grants', 'access grant'),
  },
  userDeviceNoun,
] as const satisfies readonly Noun[];

export const nouns: readonly Noun[] = described;

/** Of each member of a union. */
type KeysOf<T> = T extends unknown ? keyof T : never;
type Handled = ActionKey & KeysOf<(typeof described)[number]['handlers']>;

export const nounHandlers = Object.assign({}, ...nouns.map(({ handlers }) => handlers)) as Pick<
  Handlers,
  Handled
>;
