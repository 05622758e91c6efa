// The addresses of the console. Each page is loaded when it is first gone to.
import { createRootRoute, createRoute, createRouter, Navigate, Outlet } from '@tanstack/react-router';
import { Gate } from './app/gate.tsx';
import { lazyPage } from './app/lazy-page.tsx';
import { NotFoundPage, PageFailed } from './app/page-states.tsx';
import {
  type NetworkSearch,
  networkViews,
  routingParts,
  type SettingsTab,
  settingsTabs,
  sheetNouns,
} from './app/search.ts';
import { Shell } from './app/shell.tsx';

const root = createRootRoute({
  component: () => (
    <Gate>
      <Shell />
    </Gate>
  ),
  notFoundComponent: NotFoundPage,
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: () => <Navigate to="/networks" replace />,
});

const networks = createRoute({
  getParentRoute: () => root,
  path: '/networks',
  component: lazyPage(() => import('./pages/networks/networks-page.tsx'), 'NetworksPage'),
});

const network = createRoute({
  getParentRoute: () => root,
  path: '/networks/$networkId',
  validateSearch: (raw: Record<string, unknown>): NetworkSearch => {
    const view = networkViews.find((name) => name === raw['view']);
    const part = routingParts.find((name) => name === raw['part']);
    return {
      ...(view === undefined ? {} : { view }),
      ...Object.fromEntries(sheetNouns.flatMap((noun) => Object.entries(textOf(raw, noun)))),
      ...textOf(raw, 'status'),
      ...textOf(raw, 'hub'),
      ...textOf(raw, 'protocol'),
      ...(typeof raw['port'] === 'number' ? { port: raw['port'] } : {}),
      ...textOf(raw, 'from'),
      ...textOf(raw, 'to'),
      ...(part === undefined ? {} : { part }),
      ...textOf(raw, 'prefix'),
      ...textOf(raw, 'at'),
    };
  },
  component: lazyPage(() => import('./pages/network/network-page.tsx'), 'NetworkPage'),
});

const instances = createRoute({
  getParentRoute: () => root,
  path: '/instances',
  component: lazyPage(() => import('./pages/instances/instances-page.tsx'), 'InstancesPage'),
});

const instance = createRoute({
  getParentRoute: () => root,
  path: '/instances/$instanceId',
  component: lazyPage(() => import('./pages/instances/instance-page.tsx'), 'InstancePage'),
});

const join = createRoute({
  getParentRoute: () => root,
  path: '/join',
  component: lazyPage(() => import('./pages/join/join-page.tsx'), 'JoinPage'),
});

const events = createRoute({
  getParentRoute: () => root,
  path: '/events',
  validateSearch: (raw: Record<string, unknown>) => textOf(raw, 'kind'),
  component: lazyPage(() => import('./pages/events/events-page.tsx'), 'EventsPage'),
});

const changes = createRoute({
  getParentRoute: () => root,
  path: '/changes',
  validateSearch: (raw: Record<string, unknown>) => ({
    ...textOf(raw, 'instance'),
    ...textOf(raw, 'network'),
  }),
  component: lazyPage(() => import('./pages/changes/changes-page.tsx'), 'ChangesPage'),
});

const approvals = createRoute({
  getParentRoute: () => root,
  path: '/approvals',
  component: lazyPage(() => import('./pages/approvals/approvals-page.tsx'), 'ApprovalsPage'),
});

const approval = createRoute({
  getParentRoute: () => root,
  path: '/approvals/$approvalId',
  component: lazyPage(() => import('./pages/approvals/approval-page.tsx'), 'ApprovalPage'),
});

const policies = createRoute({
  getParentRoute: () => root,
  path: '/policies',
  component: lazyPage(() => import('./pages/policies/policies-page.tsx'), 'PoliciesPage'),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  validateSearch: (raw: Record<string, unknown>): { readonly tab?: SettingsTab } => {
    const tab = settingsTabs.find((name) => name === raw['tab']);
    return tab === undefined ? {} : { tab };
  },
  component: lazyPage(() => import('./pages/settings/settings-page.tsx'), 'SettingsPage'),
});

function textOf<Name extends string>(
  raw: Record<string, unknown>,
  name: Name,
): { readonly [N in Name]?: string } {
  const value = raw[name];
  return typeof value === 'string' && value !== '' ? ({ [name]: value } as { [N in Name]: string }) : {};
}

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    networks,
    network,
    instances,
    instance,
    join,
    events,
    changes,
    approvals,
    approval,
    policies,
    settings,
  ]),
  defaultComponent: Outlet,
  defaultErrorComponent: PageFailed,
  defaultNotFoundComponent: NotFoundPage,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
