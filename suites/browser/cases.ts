// How each action that takes `if_revision` is met in the console: by a form with fields, by a question before something
// ends, by a button. A new such action of the catalogue has to be entered here.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import type { Page } from 'playwright-core';
import { check, choice, type Field, holders, oneOf, type Shown, tags, text } from './fields.ts';
import { hubAddresses, type Scene } from './scene.ts';

/** A form in which an object is changed field by field. */
export interface FormCase {
  readonly kind: 'form';
  readonly path: (scene: Scene) => string;
  readonly open: (page: Page, object: Shown) => Promise<unknown>;
  readonly fields: (scene: Scene) => readonly Field[];
  /** Parameters that the form has no field for. */
  readonly without: readonly string[];
}

/** A question before something is ended, or a button without a question; asked about an object that Grace changes. */
export interface DeedCase {
  readonly kind: 'question' | 'button';
  readonly path: (scene: Scene) => string;
  /** The action by which Grace changes the object meanwhile, and with what. */
  readonly meanwhile: { readonly key: ActionKey; readonly part: Shown };
  readonly open: (page: Page, object: Shown) => Promise<unknown>;
  /** What does it: in the dialog of the question, or on the page. */
  readonly press: string;
  /** Of an object that is there still; left out: it would not be. */
  readonly isDone?: (object: Shown, before: Shown) => boolean;
}

/** A form that replaces a whole list: what was written meanwhile is not replaced unseen. */
export interface ListCase {
  readonly kind: 'list';
  readonly path: (scene: Scene) => string;
  readonly meanwhile: DeedCase['meanwhile'];
  /** Opens the form and writes another list into it. */
  readonly open: (page: Page) => Promise<unknown>;
  readonly press: string;
}

/**
 * A question that can be pressed only where machines run, which no stage of the two browsers has. What it sends is looked
 * at in the source (packages/console/src/app/edit.test.ts), and what is answered in the database tests of the action.
 */
export interface UnpressedCase {
  readonly kind: 'unpressed';
  readonly why: string;
}

/** The console does it in another way, or not at all. */
export interface NoCase {
  readonly kind: 'none';
  readonly why: string;
}

/** Policies have a question of their own, which is answered field by field too. */
export interface PolicyCase {
  readonly kind: 'policy';
}

export type Case = FormCase | DeedCase | ListCase | UnpressedCase | NoCase | PolicyCase;

const inNetwork =
  (view: string, noun: string) =>
  ({ ids }: Scene) =>
    `/networks/${ids['network_id']}?view=${view}&${noun}=${ids[`${noun}_id`]}`;
const ofNetwork = ({ ids }: Scene) => `/networks/${ids['network_id']}`;
const ofInstance = ({ ids }: Scene) => `/instances/${ids['instance_id']}`;
const ofOperators = () => '/settings?tab=operators';
const ofPeer = inNetwork('peers', 'peer');
const ofVirtualIp = inNetwork('virtual-ips', 'virtual_ip');
const ofMapping = inNetwork('port-mappings', 'port_mapping');
const ofRule = inNetwork('firewall', 'firewall_rule');
const ofDevice = inNetwork('devices', 'user_device');
const ofRoutePolicy = inNetwork('routing', 'route_policy');

const onPage = (name: string) => (page: Page) => page.getByRole('button', { name, exact: true }).click();
const inSheet = (name: string) => (page: Page) =>
  page.getByRole('dialog').getByRole('button', { name, exact: true }).click();
const inRow = (button: string) => (page: Page, object: Shown) =>
  page
    .getByRole('row')
    .filter({ hasText: String(object['name']) })
    .getByRole('button', { name: button, exact: true })
    .click();

const called = (number: number) => `name-${number}`;
const sideOf = (side: string, kind: string) => (object: Shown) => (object[side] as Shown | null)?.[kind];

/** Of the first statement of a route policy. */
function localPreferenceOf(policy: Shown): string {
  const [first] = policy['statements'] as readonly { readonly set: { readonly local_pref?: number } }[];
  return String(first?.set.local_pref);
}

/** What a port mapping leads to: a kind, and one of it. */
function target(kind: 'peer' | 'virtual_ip', parameter: string, ids: readonly string[]): Field {
  return {
    ...choice('Target: which', parameter, ids),
    async write(form, value) {
      await form.getByLabel(/^Target$/).selectOption(kind);
      await form.getByLabel(/^Target: which$/).selectOption(value);
    },
  };
}

export const cases: Readonly<Partial<Record<ActionKey, Case>>> = {
  updateNetwork: {
    kind: 'form',
    path: ofNetwork,
    open: onPage('Edit'),
    fields: () => [
      text('Name', 'name', called),
      text('Description', 'description', (n) => `described ${n}`),
      choice('Topology', 'topology_strategy', ['hub_and_spoke', 'full_mesh']),
      choice('Routing mode', 'routing_mode', ['static', 'ibgp']),
      check('Direct paths', 'direct_paths'),
      check('Terminate denied connections', 'rematch_connections'),
      choice('Default policy', 'firewall_default_policy', ['accept', 'drop']),
      text('MTU', 'mtu', (n) => String(1280 + (n % 140))),
      text('IPv4 prefix', 'ipv4_prefix', (n) => `100.${70 + (n % 50)}.0.0/24`),
      text('Pod subnet prefix', 'pod_subnet_prefix', (n) => `fd42:0:${(n + 1).toString(16)}::/56`),
    ],
    without: [],
  },
  updatePeer: {
    kind: 'form',
    path: ofPeer,
    open: inSheet('Edit'),
    fields: () => [
      tags,
      text(
        'Endpoint',
        'endpoint_addresses',
        (n) => `203.0.113.9:${52_000 + n}`,
        (peer) => (peer['endpoint_addresses'] as string[]).join(' '),
      ),
      choice('Publicly reachable', 'publicly_reachable', ['detect', 'yes', 'no'], (peer) =>
        peer['publicly_reachable_source'] === 'detected'
          ? 'detect'
          : peer['publicly_reachable']
            ? 'yes'
            : 'no',
      ),
      text('Listen port', 'listen_port', (n) => String(53_000 + n)),
    ],
    // Two names of one parameter; and a field where the network has pods, of which no two want the same.
    without: ['endpoint_address', 'pod_subnet'],
  },
  updateVirtualIp: {
    kind: 'form',
    path: ofVirtualIp,
    open: inSheet('Edit'),
    fields: ({ members }) => [
      text('Name', 'name', called),
      holders('Fail-over holders', 'failover_holder_peer_ids', members),
      choice('Primary holder', 'primary_holder_peer_id', Object.keys(members)),
      check('Preempt', 'preempt'),
      text('Hold-down', 'hold_down_seconds', (n) => String(20 + n)),
    ],
    // The form has it for anycast addresses alone (packages/console/browser/addresses.e2e.test.ts).
    without: ['health_check'],
  },
  updatePortMapping: {
    kind: 'form',
    path: ofMapping,
    open: inSheet('Edit'),
    fields: ({ ids, members }) => [
      oneOf('External address', 'external_address', hubAddresses),
      text('External port', 'external_port', (n) => String(9000 + n)),
      choice('Protocol', 'protocol', ['tcp', 'udp']),
      target('peer', 'internal_peer_id', Object.keys(members)),
      target('virtual_ip', 'internal_virtual_ip_id', [ids['virtual_ip_id'] ?? '']),
      text('Target port', 'internal_port', (n) => String(8000 + n)),
      text(
        'Allowed sources',
        'source_cidrs',
        (n) => `198.51.100.${n % 250}/32`,
        (mapping) => (mapping['source_cidrs'] as string[]).join(' '),
      ),
      text('New connections per second', 'rate_limit', (n) => String(100 + n)),
      text('Concurrent connections', 'max_connections', (n) => String(500 + n)),
    ],
    without: [],
  },
  updateFirewallRule: {
    kind: 'form',
    path: ofRule,
    open: inSheet('Edit'),
    fields: () => [
      text('Name', 'name', called),
      choice('Action', 'action', ['accept', 'drop', 'reject']),
      choice('Direction', 'direction', ['ingress', 'egress', 'both']),
      text('From: which', 'selector', (n) => `tag-${n}`, sideOf('selector', 'tag')),
      text('To: which', 'destination', (n) => `fd00:${n}::/64`, sideOf('destination', 'cidr')),
      choice('Protocol', 'protocol', ['tcp', 'udp']),
      text('Ports', 'port_range', (n) => String(1000 + n)),
      check('Enabled', 'enabled'),
    ],
    without: [],
  },
  updateUserDevice: {
    kind: 'form',
    path: ofDevice,
    open: inSheet('Edit'),
    fields: () => [text('Name', 'name', called), tags],
    without: [],
  },
  updateInstance: {
    kind: 'form',
    path: ofInstance,
    open: onPage('Edit'),
    fields: () => [text('Name', 'hostname', called), tags],
    without: [],
  },
  updateOperator: {
    kind: 'form',
    path: ofOperators,
    open: inRow('Edit'),
    fields: () => [text('Name', 'name', called), choice('Role', 'role', ['viewer', 'operator', 'admin'])],
    // A button of its own.
    without: ['account_id', 'disabled'],
  },
  updateAccountAsNumber: {
    kind: 'form',
    path: () => '/settings?tab=you',
    open: onPage('Change AS number'),
    fields: () => [text('AS number', 'as_number', (n) => String(64_600 + n))],
    without: [],
  },
  setPolicy: { kind: 'policy' },

  drainInstance: {
    kind: 'question',
    path: ofInstance,
    meanwhile: { key: 'updateInstance', part: { hostname: 'renamed-meanwhile' } },
    open: onPage('Drain'),
    press: 'Drain instance',
    isDone: ({ status }) => status === 'draining',
  },
  rotatePeerKey: {
    kind: 'button',
    path: ofPeer,
    meanwhile: { key: 'updatePeer', part: { tags: ['meanwhile'] } },
    open: async () => {},
    press: 'Rotate key',
    isDone: (after, before) => after['public_key'] !== before['public_key'],
  },
  declareLanSubnets: {
    kind: 'list',
    path: ofPeer,
    meanwhile: { key: 'declareLanSubnets', part: { subnets: [{ prefix: 'fd00:77:1::/64' }] } },
    open: async (page) => {
      await inSheet('Edit LANs')(page);
      await inSheet('Add LAN')(page);
      await page.getByLabel('Prefix of LAN 1', { exact: true }).fill('fd00:77:2::/64');
    },
    press: 'Save LANs',
  },
  updateRoutePolicy: {
    kind: 'form',
    path: ofRoutePolicy,
    open: inSheet('Edit'),
    fields: () => [
      text('Name', 'name', called),
      choice('Direction', 'direction', ['import', 'export']),
      text('Set local preference', 'statements', (n) => String(200 + n), localPreferenceOf),
    ],
    without: [],
  },
  deleteRoutePolicy: {
    kind: 'question',
    path: ofRoutePolicy,
    meanwhile: { key: 'updateRoutePolicy', part: { name: 'renamed-meanwhile' } },
    open: inSheet('Delete'),
    press: 'Delete route policy',
  },
  failoverVirtualIp: { kind: 'unpressed', why: 'a virtual IP moves to a peer that is heard of' },
  terminateInstance: {
    kind: 'question',
    path: ofInstance,
    meanwhile: { key: 'updateInstance', part: { hostname: 'renamed-again' } },
    open: onPage('Terminate'),
    press: 'Terminate instance',
    isDone: ({ status }) => status === 'terminated',
  },
  setPeerTags: { kind: 'none', why: 'the form of the peer has its tags' },
  changePeerRole: { kind: 'none', why: 'the platform asks for it in the approvals' },

  disableOperator: {
    kind: 'question',
    path: ofOperators,
    meanwhile: { key: 'updateOperator', part: { role: 'admin' } },
    open: inRow('Disable'),
    press: 'Disable operator',
    isDone: ({ disabled }) => disabled === true,
  },
  revokeUserDevice: {
    kind: 'question',
    path: ofDevice,
    meanwhile: { key: 'updateUserDevice', part: { name: 'renamed meanwhile' } },
    open: inSheet('Revoke'),
    press: 'Revoke device',
    isDone: ({ status }) => status === 'revoked',
  },
  deleteFirewallRule: {
    kind: 'question',
    path: ofRule,
    meanwhile: { key: 'updateFirewallRule', part: { name: 'renamed meanwhile' } },
    open: inSheet('Delete'),
    press: 'Delete rule',
  },
  deletePortMapping: {
    kind: 'question',
    path: ofMapping,
    meanwhile: { key: 'updatePortMapping', part: { max_connections: 4000 } },
    open: inSheet('Delete'),
    press: 'Delete port mapping',
  },
  deleteVirtualIp: {
    kind: 'question',
    path: ofVirtualIp,
    meanwhile: { key: 'updateVirtualIp', part: { name: 'renamed-meanwhile' } },
    open: inSheet('Delete'),
    press: 'Delete virtual IP',
  },
  detachPeer: {
    kind: 'question',
    path: ofPeer,
    meanwhile: { key: 'updatePeer', part: { tags: ['again'] } },
    open: inSheet('Detach'),
    press: 'Detach peer',
  },
  deleteNetwork: {
    kind: 'question',
    path: ofNetwork,
    meanwhile: { key: 'updateNetwork', part: { description: 'described meanwhile' } },
    open: onPage('Delete'),
    press: 'Delete network',
  },
};
