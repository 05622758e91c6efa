// Which tools are offered together. One list: the server, `powernode mcp --help` and docs/how-to/mcp.md are made of it.
import type { ActionKey } from './catalogue.ts';
import type { ActionDefinition } from './define.ts';

/** What each is for, in the order in which they are named. All but the first are an area of the actions. */
export const toolsetTexts = {
  default: 'everything for setting up, running and repairing networks; listed when no toolset is named',
  sdwan: 'networks, peers and their topology',
  services: 'virtual IPs and port mappings',
  firewall: 'rules, their audit and reachability explanations',
  devices: 'access grants and user devices',
  fleet: 'instances, join tokens and events',
  provisioning: 'pending instances and their join tokens',
  autonomy: 'policies, approvals and operations',
  accounts: 'accounts, operators and API tokens',
} as const satisfies Record<'default' | ActionDefinition['area'], string>;
export type Toolset = keyof typeof toolsetTexts;

export const toolsets = Object.keys(toolsetTexts) as readonly Toolset[];

/**
 * The steps from nothing to a network that works, is guarded and is mended, and what they need to look at. Clients show
 * models 40 tools at most: `toolsDefaultMax` and `toolsDefaultBytesMax` bound them.
 */
const defaultActions: ReadonlySet<ActionKey> = new Set([
  'whoami',
  'createJoinToken',
  'listInstances',
  'getInstance',
  'recentEvents',
  'createNetwork',
  'listNetworks',
  'updateNetwork',
  'deleteNetwork',
  'attachPeer',
  'listPeers',
  'updatePeer',
  'rotatePeerKey',
  'detachPeer',
  'getTopology',
  'createVirtualIp',
  'listVirtualIps',
  'failoverVirtualIp',
  'createPortMapping',
  'listPortMappings',
  'createFirewallRule',
  'listFirewallRules',
  'deleteFirewallRule',
  'auditFirewall',
  'explainReachability',
  'createAccessGrant',
  'issueUserDevice',
  'listUserDevices',
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
