// Copies in the main table of what is in the tables of networks, for routing daemons of the machine.
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { expect, test } from 'vitest';
import { ipLine } from '../subsystems/iproute/batch.ts';
import { parseLook } from '../subsystems/iproute/look.ts';
import { destinationIn, tablesOf } from '../subsystems/policy-rules/tables.ts';
import { exportedDestination, exportedMetric, metricOf } from '../subsystems/routes/steps.ts';
import { PathIndex } from './path-index.ts';
import { RouteChooser } from './route-choice.ts';

const lan = '192.168.7.0/24';

function networkWith(id: string, ...prefixes: string[]): EntryValue[] {
  const name = `wg-${id}`;
  const of = { network_id: id, peer_id: 'p', public_key: 'k', listen_port: 0, mtu: 1420 };
  const by = [{ interface: name, public_key: 'edge' }];
  const peer = { peer_id: 'edge', endpoint: null, allowed_ips: ['fd00::9/128'], keepalive: 25 };
  return [
    { kind: 'interface', name, purpose: 'leaf', ...of, addresses: [], probe_addresses: [] },
    { kind: 'peer', interface: name, public_key: 'edge', ...peer },
    ...prefixes.map(
      (prefix): EntryValue => ({
        ...{ kind: 'subnet', key: `subnet/${id}-${prefix}`, network_id: id, subnet_id: `${id}-${prefix}` },
        ...{ prefix, peer_id: 'edge', next_hop: 'fd00::9', preference: 100, by },
      }),
    ),
  ];
}

function chooserOf(exportRoutes: boolean) {
  const chooser = new RouteChooser(exportRoutes);
  return {
    chooser,
    choose: (entries: readonly EntryValue[]) => {
      const index = new PathIndex();
      index.update(nodeDocumentOf(entries), 'all');
      return chooser.choose({
        ...{ index, sources: new Map(), bgp: { of: () => null }, holders: new Map(), nowMs: 0 },
        health: { of: () => 'alive' },
      });
    },
  };
}

test('each route of a network’s table is in the main table too, and goes with it', () => {
  const { chooser, choose } = chooserOf(true);
  choose(networkWith('a', lan, 'fd00:7::/64'));
  expect(chooser.choices.get(exportedDestination(lan))).toBe('wg-a');
  expect(chooser.choices.get(exportedDestination('fd00:7::/64'))).toBe('wg-a');
  const { destinations } = choose(networkWith('a', 'fd00:7::/64'));
  expect(destinations).toContain(exportedDestination(lan));
  expect(chooser.choices.has(exportedDestination(lan))).toBe(false);
});

test('nothing is copied unless it is asked for', () => {
  const { chooser, choose } = chooserOf(false);
  choose(networkWith('a', lan));
  expect([...chooser.choices.keys()].filter((one) => one.includes(' metric '))).toEqual([]);
});

test('of two networks with the same prefix one is copied, always the same', () => {
  const both = [...networkWith('a', lan), ...networkWith('b', lan)];
  const tables = [...tablesOf(nodeDocumentOf(both))].sort(([, a], [, b]) => a - b);
  for (const entries of [both, both.toReversed()]) {
    const { chooser, choose } = chooserOf(true);
    choose(entries);
    expect(chooser.choices.get(exportedDestination(lan))).toBe(`wg-${tables[0]?.[0]}`);
  }
});

test('what is left to the machine’s own routes is not copied', () => {
  const own: EntryValue = {
    ...{ kind: 'lan', key: 'lan/own', network_id: 'a', subnet_id: 'own', handle: 'a', source_nat: false },
    ...{ prefix: '10.7.0.0/24', local_prefix: lan },
  };
  const { chooser, choose } = chooserOf(true);
  const entries = [...networkWith('a', lan), own];
  choose(entries);
  const table = tablesOf(nodeDocumentOf(entries)).get('a') ?? 0;
  expect(chooser.choices.get(destinationIn(table, lan))).toBe('throw');
  expect(chooser.choices.has(exportedDestination(lan))).toBe(false);
});

test('a copy is written with a metric of its own, and read back as what it is', () => {
  const destination = exportedDestination(lan);
  expect(metricOf(destination)).toBe(exportedMetric);
  expect(ipLine({ kind: 'set_route', destination, device: 'wg-a', source: null })).toBe(
    `route replace ${lan} dev wg-a proto 212 metric ${exportedMetric}`,
  );
  const seen = JSON.stringify([{ dst: lan, dev: 'wg-a', protocol: '212', metric: exportedMetric }]);
  expect([...parseLook(`[]\n${seen}\n`, () => false).routes.keys()]).toEqual([destination]);
});
