// Every page of the console: where it is, and how to tell that it is there.
import type { Page } from 'playwright-core';

export interface Place {
  readonly name: string;
  readonly path: string;
  /** Done when the page shows what it is for. */
  readonly ready: (page: Page) => Promise<void>;
}

async function heading(page: Page, text: string | RegExp): Promise<void> {
  await page.getByRole('heading', { level: 1, name: text }).waitFor();
  await page.locator('.skeleton').waitFor({ state: 'detached' });
}

export interface Subjects {
  readonly networkId: string;
  readonly instanceId: string;
  readonly peerId: string;
  /** Whom the peer may reach or not. */
  readonly otherPeerId: string;
  readonly approvalId: string | null;
  /** null: the network has none of these. */
  readonly virtualIpId: string | null;
  readonly firewallRuleId: string | null;
  readonly portMappingId: string | null;
  readonly userDeviceId: string | null;
  /** null: there is no network with iBGP. */
  readonly routing: {
    readonly networkId: string;
    readonly prefix: string;
    readonly sessionId: string;
    readonly policyId: string;
  } | null;
}

const isThere = (page: Page, selector: string) => page.locator(selector).first().waitFor();

/** What a network serves: a table or its absence, and one object of each kind. */
function servicePlaces(of: Subjects): Place[] {
  const network = `/networks/${of.networkId}`;
  const listed = ['virtual-ips', 'firewall', 'port-mappings', 'devices'].map((view) => ({
    name: `network-${view}`,
    path: `${network}?view=${view}`,
    ready: (page: Page) => isThere(page, '.table, .empty'),
  }));
  const sheets = [
    { name: 'virtual-ip', query: 'view=virtual-ips&virtual_ip', id: of.virtualIpId, shows: 'History' },
    {
      name: 'firewall-rule',
      query: 'view=firewall&firewall_rule',
      id: of.firewallRuleId,
      shows: 'Evaluated on',
    },
    {
      name: 'port-mapping',
      query: 'view=port-mappings&port_mapping',
      id: of.portMappingId,
      shows: 'Client IP preserved',
    },
    { name: 'user-device', query: 'view=devices&user_device', id: of.userDeviceId, shows: 'Public key' },
  ].flatMap(({ name, query, id, shows }) =>
    id === null
      ? []
      : [
          {
            name,
            path: `${network}?${query}=${id}`,
            ready: (page: Page) => page.getByRole('dialog').getByText(shows, { exact: true }).waitFor(),
          },
        ],
  );
  return [
    ...listed,
    ...sheets,
    {
      name: 'network-reachability',
      path: `${network}?view=reachability`,
      ready: (page) => isThere(page, '.matrix-cell, .empty'),
    },
    {
      name: 'explanation',
      path: `${network}?view=reachability&protocol=tcp&port=22&from=peer:${of.peerId}&to=peer:${of.otherPeerId}`,
      ready: (page) => isThere(page, '[role=dialog] .step'),
    },
  ];
}

function routingPlaces({ networkId, routing }: Subjects): Place[] {
  const view = { name: 'network-routing', path: `/networks/${networkId}?view=routing` };
  const isListed = (page: Page) => isThere(page, '.table, .empty');
  if (routing === null) return [{ ...view, ready: isListed }];
  const ofBgp = `/networks/${routing.networkId}?view=routing`;
  const inSheet = (text: string) => (page: Page) =>
    page.getByRole('dialog').getByText(text, { exact: true }).first().waitFor();
  return [
    { ...view, ready: isListed },
    {
      name: 'topology-with-lans',
      path: `/networks/${routing.networkId}`,
      ready: (page) => isThere(page, '.spot[data-kind="lan"]'),
    },
    { name: 'routes', path: `${ofBgp}&part=routes`, ready: isListed },
    { name: 'bgp-sessions', path: `${ofBgp}&part=sessions`, ready: isListed },
    { name: 'route-policies', path: `${ofBgp}&part=policies`, ready: isListed },
    {
      name: 'route',
      path: `${ofBgp}&part=routes&prefix=${encodeURIComponent(routing.prefix)}`,
      ready: inSheet('best'),
    },
    {
      name: 'bgp-session',
      path: `${ofBgp}&bgp_session=${routing.sessionId}`,
      ready: inSheet('Recommended action'),
    },
    {
      name: 'route-policy',
      path: `${ofBgp}&route_policy=${routing.policyId}`,
      ready: inSheet('Compiled route policies'),
    },
  ];
}

export function placesOf(of: Subjects): Place[] {
  const network = `/networks/${of.networkId}`;
  return [
    { name: 'networks', path: '/networks', ready: (page) => heading(page, 'Networks') },
    {
      name: 'network-topology',
      path: network,
      ready: (page) => page.locator('[data-spot]').first().waitFor(),
    },
    {
      name: 'network-peers',
      path: `${network}?view=peers`,
      ready: (page) => page.getByRole('grid').waitFor(),
    },
    {
      name: 'network-tunnels',
      path: `${network}?view=tunnels`,
      ready: (page) => page.getByRole('grid').waitFor(),
    },
    {
      name: 'peer',
      path: `${network}?view=peers&peer=${of.peerId}`,
      ready: (page) => page.getByRole('dialog').getByText('Public key').waitFor(),
    },
    ...servicePlaces(of),
    ...routingPlaces(of),
    { name: 'instances', path: '/instances', ready: (page) => page.getByRole('grid').waitFor() },
    {
      name: 'instance',
      path: `/instances/${of.instanceId}`,
      ready: (page) => page.getByRole('heading', { name: 'Networks', level: 2 }).waitFor(),
    },
    { name: 'join', path: '/join', ready: (page) => heading(page, 'Add an instance') },
    {
      name: 'changes',
      path: `/changes?instance=${of.instanceId}`,
      ready: (page) => isThere(page, '.table, .empty'),
    },
    { name: 'events', path: '/events', ready: (page) => heading(page, 'Events') },
    { name: 'approvals', path: '/approvals', ready: (page) => heading(page, 'Approvals') },
    ...(of.approvalId === null
      ? []
      : [
          {
            name: 'approval',
            path: `/approvals/${of.approvalId}`,
            ready: (page: Page) => heading(page, /./),
          },
        ]),
    { name: 'policies', path: '/policies', ready: (page) => page.getByRole('grid').waitFor() },
    { name: 'settings-you', path: '/settings', ready: (page) => page.getByText('Address pool').waitFor() },
    {
      name: 'settings-operators',
      path: '/settings?tab=operators',
      ready: (page) => page.getByRole('grid').waitFor(),
    },
    {
      name: 'settings-tokens',
      path: '/settings?tab=tokens',
      ready: (page) => page.getByRole('grid').waitFor(),
    },
    {
      name: 'settings-accounts',
      path: '/settings?tab=accounts',
      ready: (page) => page.getByRole('grid').waitFor(),
    },
    { name: 'not-found', path: '/nowhere', ready: (page) => heading(page, 'Page not found') },
  ];
}
