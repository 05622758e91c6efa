// What the addresses of pages say after their question mark: which view, tab or sheet is open.
export const networkViews = [
  'topology',
  'peers',
  'tunnels',
  'routing',
  'virtual-ips',
  'firewall',
  'reachability',
  'port-mappings',
  'devices',
] as const;
export type NetworkView = (typeof networkViews)[number];
/** What the view of routing has beside each other. */
export const routingParts = ['routes', 'sessions', 'policies'] as const;
export type RoutingPart = (typeof routingParts)[number];
/** What opens as a sheet over the page of its network. */
export const sheetNouns = [
  'peer',
  'virtual_ip',
  'firewall_rule',
  'port_mapping',
  'user_device',
  'bgp_session',
  'route_policy',
] as const;
export type SheetNoun = (typeof sheetNouns)[number];
type OpenSheet = { readonly [N in SheetNoun]?: string };

export interface NetworkSearch extends OpenSheet {
  readonly view?: NetworkView;
  /** How the table of peers is filtered at first. */
  readonly status?: string;
  readonly hub?: string;
  /** What the matrix is of, and which of its cells is explained: `peer:<id>`, `address:fd00::1`. */
  readonly protocol?: string;
  readonly port?: number;
  readonly from?: string;
  readonly to?: string;
  readonly part?: RoutingPart;
  /** Which route is explained, and at which peer. */
  readonly prefix?: string;
  readonly at?: string;
}

export const settingsTabs = ['you', 'operators', 'tokens', 'accounts'] as const;
export type SettingsTab = (typeof settingsTabs)[number];
