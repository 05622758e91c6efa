// A dry run says whom changes would reach, in sentences, and leaves everything as it was.
import { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { Item } from '@powernode/core/compile/model';
import { RandomFleet } from '@powernode/core/compile/random-fleet.fixture';
import { seededRandom } from '@powernode/core/testing/random';
import { expect, test } from 'vitest';
import { instancesReached, planChanges } from './plan.ts';

const instanceIds = ['i0', 'i1', 'i2', 'i3', 'i4', 'i5'];

function digestsOf(fleet: FleetIndex): string[] {
  return instanceIds.map((id) => fleet.digest(id));
}

function itemsOf(fleet: FleetIndex): Item[] {
  const items = [...fleet.networks()].flatMap((network) => [...network.items()]);
  return items.sort((a, b) => (a.id < b.id ? -1 : 1));
}

test('a plan names the nodes that the change then reaches, and reverts what it tried', () => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) {
    const random = new RandomFleet({ accountId: 'a', instanceIds, random: seededRandom(seed) });
    const fleet = new FleetIndex();
    for (let i = 0; i < 50; i++) {
      const change = random.change();
      const before = { digests: digestsOf(fleet), items: itemsOf(fleet) };
      const plan = planChanges(fleet, [change], (id) => `host of ${id}`);
      expect({ digests: digestsOf(fleet), items: itemsOf(fleet) }).toEqual(before);
      fleet.apply(change);
      const after = digestsOf(fleet);
      const reached = instanceIds.filter((_, n) => after[n] !== before.digests[n]);
      expect(plan.nodes.map((node) => node.instance_id).sort()).toEqual(reached);
      for (const { changes } of plan.nodes) {
        for (const { op, key, detail } of changes) {
          if (op === 'set') kinds.add(key.slice(0, key.indexOf('/')));
          expect(detail).toMatch(/^\S.*\S$/);
          expect(detail).not.toMatch(/undefined|null|NaN|\[object|: $|, $/);
        }
      }
    }
  }
  expect([...kinds].sort()).toEqual([
    'anycast',
    'anycast_holder',
    'bgp',
    'bgp_neighbor',
    'bgp_reset',
    'device',
    'firewall',
    'forwarding',
    'health_check',
    'interface',
    'lan',
    'member',
    'peer',
    'pods',
    'port_mapping',
    'probe',
    'route',
    'route_policy',
    'rule',
    'subnet',
    'virtual_ip',
    'watch',
  ]);
}, 30_000);

test('the reach of changes is known also where changes before them were not applied yet', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new RandomFleet({ accountId: 'a', instanceIds, random: seededRandom(seed) });
    const behind = new FleetIndex();
    const fleet = new FleetIndex();
    for (let i = 0; i < 50; i += 4) {
      const missing = [random.change(), random.change(), random.change()];
      for (const change of missing) fleet.apply(change);
      const change = random.change();
      const before = { behind: digestsOf(behind), fleet: digestsOf(fleet) };
      const reached = instancesReached(behind, { missing, changes: [change] });
      expect(digestsOf(behind)).toEqual(before.behind);
      fleet.apply(change);
      const after = digestsOf(fleet);
      expect([...reached].sort()).toEqual(instanceIds.filter((_, n) => after[n] !== before.fleet[n]));
      for (const one of [...missing, change]) behind.apply(one);
    }
  }
}, 30_000);
