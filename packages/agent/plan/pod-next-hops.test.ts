// Routes by which no packet goes, so that the kernel accepts the next hops of a cluster's own routes.
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { expect, test } from 'vitest';
import { ipLine } from '../subsystems/iproute/batch.ts';
import { parseLook } from '../subsystems/iproute/look.ts';
import { nextHopDestination } from '../subsystems/routes/steps.ts';
import { PathIndex } from './path-index.ts';
import { RouteChooser } from './route-choice.ts';

function interfaceNamed(name: string, ...addresses: string[]): EntryValue {
  const of = { network_id: 'n', peer_id: 'p', public_key: 'k', listen_port: 0, mtu: 1420 };
  const purpose = addresses.length > 0 ? 'leaf' : 'transit';
  return { kind: 'interface', name, purpose, ...of, addresses, probe_addresses: [] };
}

function pods(prefix: string, nextHops: string | null): EntryValue {
  const of = { key: 'pods/n', network_id: 'n', handle: 'a', interface: 'wg-a' };
  return { kind: 'pods', ...of, prefix, next_hops: nextHops };
}

const route = (destination: string, via: string): EntryValue => ({
  ...{ kind: 'route', network_id: 'n' },
  ...{ destination, via: [via] },
});

function choicesOf(...entries: EntryValue[]): Record<string, string | null> {
  const chooser = new RouteChooser();
  const index = new PathIndex();
  index.update(nodeDocumentOf(entries), 'all');
  const health = { of: () => 'untried' as const };
  chooser.choose({
    ...{ index, health, sources: new Map(), holders: new Map(), nowMs: 0 },
    bgp: { of: () => null },
  });
  return Object.fromEntries(chooser.choices);
}

const leaf = interfaceNamed('wg-a', 'fd00::11/128', '100.64.0.11/32');
const spoke = [
  leaf,
  interfaceNamed('wg-a-1'),
  route('fd00::/64', 'wg-a-1'),
  route('100.64.0.0/18', 'wg-a-1'),
];

test('a spoke has the network’s prefix of the family by its leaf interface too, in the worse metric', () => {
  expect(choicesOf(...spoke, pods('10.42.0.0/16', '100.64.0.0/18'))).toEqual({
    'fd00::/64': 'wg-a-1',
    '100.64.0.0/18': 'wg-a-1',
    '100.64.0.0/18 metric 4096': 'wg-a',
  });
  expect(choicesOf(...spoke, pods('fd42::/56', 'fd00::/64'))).toHaveProperty('fd00::/64 metric 4096', 'wg-a');
});

test('a hub, which has it there anyway, and a machine that was refused the IPv4 prefix have no other', () => {
  const hub = [leaf, route('fd00::/64', 'wg-a'), route('100.64.0.0/18', 'wg-a')];
  expect(Object.keys(choicesOf(...hub, pods('10.42.0.0/16', '100.64.0.0/18')))).toHaveLength(2);
  const refused = [interfaceNamed('wg-a', 'fd00::11/128'), ...spoke.slice(1)];
  expect(choicesOf(...refused, pods('10.42.0.0/16', '100.64.0.0/18'))).toEqual({
    'fd00::/64': 'wg-a-1',
    '100.64.0.0/18': null,
  });
  expect(Object.keys(choicesOf(...spoke, pods('10.42.0.0/16', null)))).toHaveLength(2);
});

test('it is written with its metric, and read back as another route than that of the prefix', () => {
  const destination = nextHopDestination('100.64.0.0/18');
  const set = { kind: 'set_route', destination, device: 'wg-a', source: '100.64.0.11' } as const;
  expect(ipLine(set)).toBe('route replace 100.64.0.0/18 dev wg-a proto 212 metric 4096 src 100.64.0.11');
  expect(ipLine({ kind: 'remove_route', destination, device: 'wg-a', metric: 4096 })).toBe(
    'route delete 100.64.0.0/18 dev wg-a proto 212 metric 4096',
  );
  const printed = [
    { dst: '100.64.0.0/18', dev: 'wg-a-1', metric: 512 },
    { dst: '100.64.0.0/18', dev: 'wg-a', metric: 4096 },
  ];
  const { routes } = parseLook(`[]\n${JSON.stringify(printed)}\n`, () => false);
  expect([...routes.keys()]).toEqual(['100.64.0.0/18', destination]);
});
