// Which peer in front of a prefix packets go to, as paths live and die.
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import type { SubnetEntry } from '@powernode/core/wire/routing-entries';
import { describe, expect, test } from 'vitest';
import type { PathState } from '../probe/path-state.ts';
import { tablesOf } from '../subsystems/policy-rules/tables.ts';
import { PathIndex } from './path-index.ts';
import { RouteChooser } from './route-choice.ts';

const lan = '192.168.7.0/24';

function interfaceNamed(name: string, purpose: 'leaf' | 'transit'): EntryValue {
  const of = { network_id: 'n', peer_id: 'p', public_key: 'k', listen_port: 0, mtu: 1420 };
  return { kind: 'interface', name, purpose, ...of, addresses: [], probe_addresses: [] };
}

function peer(name: string, publicKey: string, ...allowed: string[]): EntryValue {
  const of = { peer_id: publicKey, endpoint: null, allowed_ips: allowed, keepalive: 25 };
  return { kind: 'peer', interface: name, public_key: publicKey, ...of };
}

/** Behind a spoke, or a hub that is met on a transit interface. */
function subnet(prefix: string, peerId: string, preference: number, by?: string): SubnetEntry {
  const leaf = { interface: 'wg-a', public_key: peerId };
  return {
    kind: 'subnet',
    key: `subnet/${prefix}-${peerId}`,
    network_id: 'n',
    subnet_id: `${prefix}-${peerId}`,
    prefix,
    peer_id: peerId,
    next_hop: 'fd00::1',
    preference,
    by: by === undefined ? [leaf] : [{ interface: by, public_key: peerId }, leaf],
  };
}

function own(prefix: string, localPrefix = prefix): EntryValue {
  const of = { network_id: 'n', subnet_id: prefix, handle: 'a', source_nat: false };
  return { kind: 'lan', key: `lan/${prefix}`, ...of, prefix, local_prefix: localPrefix };
}

/** Calling it says how paths are now, and answers with where prefixes behind peers go, and whose AllowedIPs they are in. */
function node(...entries: EntryValue[]) {
  const chooser = new RouteChooser();
  const index = new PathIndex();
  const document = nodeDocumentOf(entries);
  index.update(document, 'all');
  const table = tablesOf(document).get('n');
  const states: Record<string, PathState> = {};
  const health = { of: ({ publicKey }: { readonly publicKey: string }) => states[publicKey] ?? 'untried' };
  return (now: Record<string, PathState> = {}) => {
    Object.assign(states, now);
    chooser.choose({
      index,
      health,
      sources: new Map(),
      bgp: { of: () => null },
      holders: new Map(),
      nowMs: 0,
    });
    const ending = ` table ${table}`;
    const routes = [...chooser.choices].flatMap(([destination, device]) =>
      destination.endsWith(ending) ? [`${destination.slice(0, -ending.length)} ${device}`] : [],
    );
    const allowed = [...chooser.extraAllowedIps].map(
      ([tunnel, prefixes]) => `${tunnel.slice('peer/'.length)} ${prefixes.join(' ')}`,
    );
    return { routes, allowed };
  };
}

const firewall: EntryValue = {
  kind: 'firewall',
  network_id: 'n',
  handle: 'a',
  prefixes: ['fd00::/64'],
  default_policy: 'accept',
  rematch: true,
};
const hub: readonly EntryValue[] = [
  firewall,
  interfaceNamed('wg-a', 'leaf'),
  peer('wg-a', 'edge1', 'fd00::11/128'),
  peer('wg-a', 'edge2', 'fd00::12/128'),
];
const spoke: readonly EntryValue[] = [
  firewall,
  interfaceNamed('wg-a', 'leaf'),
  interfaceNamed('wg-a-1', 'transit'),
  interfaceNamed('wg-a-2', 'transit'),
  peer('wg-a-1', 'hub1', '::/0', '0.0.0.0/0'),
  peer('wg-a-2', 'hub2', '::/0', '0.0.0.0/0'),
  { kind: 'route', network_id: 'n', destination: 'fd00::/64', via: ['wg-a-1', 'wg-a-2'] },
];

describe('a hub with one prefix behind two spokes', () => {
  const both = [subnet(lan, 'edge1', 100), subnet(lan, 'edge2', 200)];
  const by = (edge: string) => ({ routes: [`${lan} wg-a`], allowed: [`wg-a/${edge} ${lan}`] });

  test('sends to the preferred one while nothing is known', () => {
    expect(node(...hub, ...both)()).toEqual(by('edge2'));
  });

  test('sends to the other one when that path is dead, and stays until the first is trusted again', () => {
    const at = node(...hub, ...both);
    expect(at({ edge1: 'alive', edge2: 'alive' })).toEqual(by('edge2'));
    expect(at({ edge2: 'dead' })).toEqual(by('edge1'));
    expect(at({ edge2: 'returning' })).toEqual(by('edge1'));
    expect(at({ edge2: 'alive' })).toEqual(by('edge2'));
  });

  test('does not move while neither is heard', () => {
    const at = node(...hub, ...both);
    at({ edge1: 'alive', edge2: 'dead' });
    expect(at({ edge1: 'dead' })).toEqual(by('edge1'));
  });

  test('takes the first by id of two that are preferred alike', () => {
    expect(node(...hub, subnet(lan, 'edge2', 100), subnet(lan, 'edge1', 100))()).toEqual(by('edge1'));
  });
});

describe('a spoke', () => {
  test('sends by the hub that the network goes by, to a spoke that it has no tunnel to', () => {
    const at = node(...spoke, subnet(lan, 'edge1', 100));
    expect(at()).toEqual({ routes: [`${lan} wg-a-1`], allowed: [] });
    expect(at({ hub1: 'dead', hub2: 'alive' }).routes).toEqual([`${lan} wg-a-2`]);
  });

  test('sends straight to a hub in front of the prefix', () => {
    const at = node(...spoke, subnet(lan, 'hub2', 100, 'wg-a-2'));
    expect(at({ hub1: 'alive', hub2: 'alive' })).toEqual({ routes: [`${lan} wg-a-2`], allowed: [] });
  });

  test('uses a direct path only while that is proven, and takes its answers all the same', () => {
    const direct = [
      peer('wg-a', 'edge1', 'fd00::11/128'),
      {
        kind: 'probe',
        network_id: 'n',
        interface: 'wg-a',
        public_key: 'edge1',
        purpose: 'direct',
        target: 'fd00::feff:0:0:11',
      } as const,
    ];
    const at = node(...spoke, ...direct, subnet(lan, 'edge1', 100));
    const allowed = [`wg-a/edge1 ${lan}`];
    expect(at({ hub1: 'alive' })).toEqual({ routes: [`${lan} wg-a-1`], allowed });
    expect(at({ edge1: 'alive' })).toEqual({ routes: [`${lan} wg-a`], allowed });
    expect(at({ edge1: 'dead' })).toEqual({ routes: [`${lan} wg-a-1`], allowed });
  });

  test('has no route to a prefix that it is in front of itself, whoever else is', () => {
    const at = node(...spoke, own(lan), subnet(lan, 'edge1', 200), subnet(lan, 'self', 100));
    expect(at()).toEqual({ routes: [], allowed: [] });
  });
});

describe('addresses of an own LAN that are behind another peer too', () => {
  test('are left to the routes of the machine where its LAN is translated', () => {
    const site = own('10.7.0.0/24', '192.168.1.0/24');
    const at = node(
      ...spoke,
      site,
      subnet('10.7.0.0/24', 'self', 100),
      subnet('192.168.1.0/24', 'edge1', 100),
    );
    expect(at().routes).toEqual(['192.168.1.0/24 throw']);
  });

  test('are left to them where the other prefix is wider, and not where it is narrower', () => {
    expect(node(...spoke, own(lan), subnet('192.168.0.0/16', 'edge1', 100))().routes).toEqual([
      '192.168.0.0/16 wg-a-1',
      `${lan} throw`,
    ]);
    expect(node(...spoke, own('192.168.0.0/16'), subnet(lan, 'edge1', 100))().routes).toEqual([
      `${lan} wg-a-1`,
    ]);
  });
});
