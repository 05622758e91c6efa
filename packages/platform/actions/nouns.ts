// Every noun that shared parts have to know. What an object is beside its own folder is said there, and listed here.
import type { Noun } from './context.ts';
import { userDeviceNoun } from './sdwan/devices/noun.ts';
import { firewallRuleNoun } from './sdwan/firewall/noun.ts';
import { networkNoun } from './sdwan/networks/noun.ts';
import { peerNoun } from './sdwan/peers/noun.ts';
import { portMappingNoun } from './sdwan/port-mappings/noun.ts';
import { rowsInNetwork } from './sdwan/rows-in-network.ts';
import { virtualIpNoun } from './sdwan/virtual-ips/noun.ts';

/** Notes of plans and events of consequences are in this order. */
export const nouns: readonly Noun[] = [
  { kind: 'operator', table: 'operators', isAcrossAccounts: true },
  { kind: 'api_token', table: 'api_tokens', isAcrossAccounts: true },
  { kind: 'policy', table: 'policies' },
  { kind: 'instance', table: 'instances' },
  networkNoun,
  peerNoun,
  firewallRuleNoun,
  virtualIpNoun,
  portMappingNoun,
  {
    kind: 'access_grant',
    table: 'access_grants',
    inNetwork: rowsInNetwork('access_grants', 'access grant'),
  },
  userDeviceNoun,
];
