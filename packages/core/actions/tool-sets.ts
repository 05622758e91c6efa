// Which tools are offered together. One list: the server, `powernode mcp --help` and docs/how-to/mcp.md are made of it.
import type { ActionKey } from './catalogue.ts';
import type { ActionDefinition } from './define.ts';

/** What each is for, in the order in which they are named. All but the first are an area of the actions. */
export const toolsetTexts = {
  default: 'everything for setting up, running and repairing networks; listed when no toolset is named',
  sdwan: 'networks, peers and their topology',
  services: 'virtual IPs and port mappings',
  firewall: 'rules, their audit and reachability explanations',
  routing: 'route policies, BGP sessions and routes',
  devices: 'access grants and user devices',
  fleet: 'instances, join tokens and events',
  provisioning: 'pending instances and their join tokens',
  autonomy: 'policies, approvals, operations, skills and findings',
  accounts: 'accounts, operators and API tokens',
} as const satisfies Record<'default' | ActionDefinition['area'], string>;
export type Toolset = keyof typeof toolsetTexts;

export const toolsets = Object.keys(toolsetTexts) as readonly Toolset[];

/**
 * The steps from nothing to a network that works, is guarded and is repaired, and what they need to look at. Clients show
 * models 40 tools at most: `toolsDefaultMax` and `toolsDefaultBytesMax` bound them.
 */
const defaultActions: ReadonlySet<ActionKey> = new Set([
  'createJoinToken',
  'listInstances',
  'getInstance',
  'recentEvents',
  'createNetwork',
  'listNetworks',
  'attachPeer',
  'listPeers',
  'updatePeer',
  'declareLanSubnets',
  'rotatePeerKey',
  'createVirtualIp',
  'listVirtualIps',
  'failoverVirtualIp',
  'createPortMapping',
  'createFirewallRule',
  'listFirewallRules',
  'auditFirewall',
  'explainReachability',
  'createRoutePolicy',
  'listRoutePolicies',
  'updateAccountAsNumber',
  'getBgpSessions',
  'getRoutingSummary',
  'executeSkill',
  'createAccessGrant',
  'issueUserDevice',
  'revokeUserDevice',
  'listPolicies',
  'setPolicy',
  'listApprovals',
  'getApproval',
  'decideApproval',
]);

export function isInToolset(of: {
  readonly action: ActionKey;
  readonly area: ActionDefinition['area'];
  readonly toolset: Toolset;
}): boolean {
  return of.toolset === 'default' ? defaultActions.has(of.action) : of.toolset === of.area;
}

/** A line for each, for people: ` - sdwan: networks, peers and their topology`. */
export function toolsetLines(mark: (name: string) => string): string[] {
  return toolsets.map((name) => `- ${mark(name)}: ${toolsetTexts[name]}`);
}
