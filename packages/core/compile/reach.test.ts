// Whom single changes reach: those whose documents they change, and nobody beside.
import { describe, expect, test } from 'vitest';
import { FleetIndex } from './fleet-index.ts';
import type { Impact } from './impact.ts';
import { networkModel, peerModel } from './model.fixture.ts';
import type {
  Item,
  NetworkModel,
  PeerModel,
  PortMappingModel,
  RuleModel,
  UserDeviceModel,
  VirtualIpModel,
} from './model.ts';
import { objectChange } from './object-change.ts';

const network: NetworkModel = networkModel({ id: 'n0', handle: 'n0' });

/** Peers p0 and p1 are hubs; p2 and so on are spokes, of which p2 to p4 are met where hubs see them. */
function peer(i: number, members: Partial<PeerModel> = {}): PeerModel {
  const hub = i < 2;
  return peerModel({
    id: `p${i}`,
    networkId: 'n0',
    instanceId: `i${i}`,
    hostAddress: `fd00::${i + 1}`,
    publicKey: `k${i}`,
    directKey: hub ? null : `d${i}`,
    directEndpoint: i >= 2 && i <= 4 ? `198.51.100.${i}:4000` : null,
    hubSlot: hub ? i + 1 : null,
    endpoint: hub ? `192.0.2.${i}:51820` : null,
    ...members,
  });
}

const rule: RuleModel = {
  type: 'firewall_rule',
  id: 'rule',
  networkId: 'n0',
  direction: 'ingress',
  action: 'drop',
  selector: { kind: 'all' },
  destination: { kind: 'peer', id: 'p5' },
  protocol: 'any',
  ports: null,
  enabled: true,
};

const virtualIp: VirtualIpModel = {
  type: 'virtual_ip',
  id: 'vip',
  networkId: 'n0',
  addresses: ['fd00::f:1'],
  anycast: false,
  candidates: ['p5', 'p6'],
  holder: 'p5',
  epoch: 1,
};

const device: UserDeviceModel = {
  type: 'user_device',
  id: 'device',
  networkId: 'n0',
  publicKey: 'device-key',
  addresses: ['fd00::e:1'],
  hubPeerId: 'p0',
  tags: [],
};

const mapping: PortMappingModel = {
  type: 'port_mapping',
  id: 'mapping',
  networkId: 'n0',
  hubPeerId: 'p0',
  externalAddress: '2001:db8::1',
  externalPort: 443,
  protocol: 'tcp',
  target: { kind: 'virtual_ip', id: 'vip' },
  targetPort: 8443,
  sourceCidrs: [],
  rateLimit: null,
  maxConnections: null,
};

function fleetOf(
  items: readonly Item[] = [],
  peers = Array.from({ length: 10 }, (_, i) => peer(i)),
): FleetIndex {
  const fleet = new FleetIndex();
  fleet.load(network, peers, items);
  return fleet;
}

/** By instance: the keys that it gets. */
function reached({ shared, single }: Impact): Record<string, string[]> {
  const keys = new Map<string, string[]>();
  const give = (instanceId: string, given: Impact['shared'][number]['patch']) => {
    keys.set(instanceId, [...(keys.get(instanceId) ?? []), ...given.set.keys(), ...given.remove].sort());
  };
  for (const { instances, patch } of shared) for (const id of instances) give(id, patch);
  for (const [id, patch] of single) give(id, patch);
  return Object.fromEntries([...keys].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function change(fleet: FleetIndex, before: PeerModel, after: PeerModel) {
  return reached(fleet.apply({ kind: 'peer_changed', networkId: 'n0', before, after }).impact);
}

function changeItem(fleet: FleetIndex, before: Item | null, after: Item | null) {
  const change = objectChange(before, after);
  if (change === null) throw new Error('a change of nothing');
  return reached(fleet.apply({ kind: 'item_changed', networkId: 'n0', ...change }).impact);
}

const everyone = Array.from({ length: 10 }, (_, i) => `i${i}`);
const hubs = ['i0', 'i1'];

describe('a spoke', () => {
  test('that is attached reaches the hubs, and what they get is shared', () => {
    const fleet = fleetOf();
    const impact = fleet.apply({
      kind: 'peer_changed',
      networkId: 'n0',
      before: null,
      after: peer(10),
    }).impact;
    expect(impact.shared.map((group) => [...group.instances].sort())).toEqual([hubs]);
    expect([...impact.single.keys()]).toEqual(['i10']);
    expect([...(impact.shared[0]?.patch.set.keys() ?? [])]).toEqual(['peer/wg-n0/k10', 'peer/wg-n0/d10']);
  });

  test('that hubs see where it can be called reaches the other such spokes', () => {
    const fleet = fleetOf();
    const impact = change(fleet, peer(9), peer(9, { directEndpoint: '198.51.100.9:4000' }));
    expect(Object.keys(impact)).toEqual(['i2', 'i3', 'i4', 'i9']);
    expect(impact['i2']).toContain('peer/wg-n0/d9');
  });

  test('that is tagged with what no rule names reaches nobody', () => {
    const fleet = fleetOf([{ ...rule, destination: { kind: 'tag', tag: 'db' } }]);
    expect(change(fleet, peer(7), peer(7, { tags: ['web'] }))).toEqual({});
  });

  test('that is tagged with what a rule names is a new member for everyone', () => {
    const fleet = fleetOf([{ ...rule, destination: { kind: 'tag', tag: 'web' } }]);
    const impact = change(fleet, peer(7), peer(7, { tags: ['web'] }));
    expect(Object.keys(impact)).toEqual(everyone);
    for (const keys of Object.values(impact)) expect(keys).toEqual(['member/n0/web/fd00::8']);
  });
});

describe('a hub', () => {
  test('that drains is for the spokes to prefer less', () => {
    const impact = change(fleetOf(), peer(0), peer(0, { draining: true }));
    const routes = Object.entries(impact).filter(([, keys]) => keys.join() === 'route/fd00::/64');
    expect(routes.length).toBeGreaterThan(0);
    expect(routes.length).toBe(Object.keys(impact).length);
    expect(routes.every(([id]) => !hubs.includes(id))).toBe(true);
  });

  test('with another key reaches everyone by what is shared, and no way of its own is sent again', () => {
    const impact = change(fleetOf(), peer(0), peer(0, { publicKey: 'k0b' }));
    expect(Object.keys(impact)).toEqual(everyone);
    expect(impact['i9']).not.toContain('interface/wg-n0');
    expect(impact['i9']).not.toContain('route/fd00::/64');
  });
});

describe('the network', () => {
  test('with another policy gives everyone that, and nothing else', () => {
    const impact = fleetOf().apply({
      kind: 'network_updated',
      network: { ...network, firewallDefaultPolicy: 'drop' },
    }).impact;
    expect(reached(impact)).toEqual(Object.fromEntries(everyone.map((id) => [id, ['firewall/n0']])));
    expect(impact.single.size).toBe(0);
  });
});

describe('a rule', () => {
  test('to one peer reaches that one', () => {
    const fleet = fleetOf();
    expect(changeItem(fleet, null, rule)).toEqual({ i5: ['rule/rule'] });
    expect(changeItem(fleet, rule, { ...rule, enabled: false })).toEqual({ i5: ['rule/rule'] });
    expect(
      changeItem(fleet, { ...rule, enabled: false }, { ...rule, action: 'accept', enabled: false }),
    ).toEqual({});
  });

  test('in both directions reaches both ends', () => {
    const both: RuleModel = { ...rule, direction: 'both', selector: { kind: 'peer', id: 'p2' } };
    expect(Object.keys(changeItem(fleetOf(), null, both))).toEqual(['i2', 'i5']);
  });

  test('to a virtual address reaches those who may hold it; to a device, its hub', () => {
    const fleet = fleetOf([virtualIp, device]);
    const toAddress: RuleModel = { ...rule, destination: { kind: 'virtual_ip', id: 'vip' } };
    const toDevice: RuleModel = { ...rule, id: 'other', destination: { kind: 'user_device', id: 'device' } };
    expect(Object.keys(changeItem(fleet, null, toAddress))).toEqual(['i5', 'i6']);
    expect(Object.keys(changeItem(fleet, null, toDevice))).toEqual(['i0']);
  });

  test('that was everyone’s and is one’s now is taken from the others, and changed there', () => {
    const all: RuleModel = { ...rule, destination: { kind: 'all' } };
    const fleet = fleetOf([all]);
    const impact = fleet.apply({ kind: 'item_changed', networkId: 'n0', before: all, after: rule }).impact;
    const [shared, ...others] = impact.shared;
    expect(others).toEqual([]);
    expect([...(shared?.patch.remove ?? [])]).toEqual(['rule/rule']);
    expect(shared?.instances.toSorted()).toEqual(everyone.filter((id) => id !== 'i5'));
    expect([...impact.single.keys()]).toEqual(['i5']);
    expect([...(impact.single.get('i5')?.set.keys() ?? [])]).toEqual(['rule/rule']);
  });

  test('brings the members of a tag that it is the first to name, and takes them as the last', () => {
    const tagged = Array.from({ length: 10 }, (_, i) => peer(i, { tags: i === 8 ? ['web'] : [] }));
    const fleet = fleetOf([{ ...device, tags: ['web'] }], tagged);
    const from: RuleModel = { ...rule, selector: { kind: 'tag', tag: 'web' } };
    const members = ['member/n0/web/fd00::9', 'member/n0/web/fd00::e:1'];
    const first = changeItem(fleet, null, from);
    expect(Object.keys(first)).toEqual(everyone);
    expect(first).toMatchObject({ i5: [...members, 'rule/rule'], i9: members });
    const second: RuleModel = { ...from, id: 'second' };
    expect(changeItem(fleet, null, second)).toEqual({ i5: ['rule/second'] });
    expect(changeItem(fleet, from, null)).toEqual({ i5: ['rule/rule'] });
    expect(changeItem(fleet, second, null)).toMatchObject({ i5: [...members, 'rule/second'], i0: members });
  });
});

describe('a virtual address', () => {
  const moved = { ...virtualIp, holder: 'p6', epoch: 2 };

  test('that moves between spokes reaches the hubs and both of them', () => {
    const impact = changeItem(
      fleetOf([virtualIp, { ...rule, destination: { kind: 'virtual_ip', id: 'vip' } }]),
      virtualIp,
      moved,
    );
    expect(impact).toEqual({
      i0: ['peer/wg-n0/k5', 'peer/wg-n0/k6'],
      i1: ['peer/wg-n0/k5', 'peer/wg-n0/k6'],
      i5: ['virtual_ip/vip'],
      i6: ['virtual_ip/vip'],
    });
  });

  test('and those who meet them without a hub', () => {
    const direct = { ...virtualIp, candidates: ['p2', 'p3'], holder: 'p2' };
    const impact = changeItem(fleetOf([direct]), direct, { ...direct, holder: 'p3', epoch: 2 });
    expect(Object.keys(impact)).toEqual(['i0', 'i1', 'i2', 'i3', 'i4']);
    // One entry that changes nothing for the route: both are met on the leaf interface.
    expect(impact['i4']).toEqual(['peer/wg-n0/d2', 'peer/wg-n0/d3']);
  });

  test('that moves between hubs is one route that changes for the spokes', () => {
    const held = { ...virtualIp, candidates: ['p0', 'p1'], holder: 'p0' };
    const impact = changeItem(fleetOf([held]), held, { ...held, holder: 'p1', epoch: 2 });
    expect(impact['i9']).toEqual(['route/fd00::f:1/128']);
    expect(Object.keys(impact)).toEqual(everyone);
  });

  test('is watched by hubs while there is another that could hold it', () => {
    const alone = { ...virtualIp, candidates: ['p5'] };
    const fleet = fleetOf([alone]);
    const impact = changeItem(fleet, alone, virtualIp);
    expect(impact).toEqual({
      i0: ['watch/vip/p5', 'watch/vip/p6'],
      i1: ['watch/vip/p5', 'watch/vip/p6'],
      i5: ['virtual_ip/vip'],
    });
  });

  test('of several is for the hubs to choose a holder for', () => {
    const anycast = { ...virtualIp, anycast: true, holder: null };
    expect(changeItem(fleetOf(), null, anycast)).toEqual({
      i0: ['anycast/vip', 'anycast_holder/vip/p5', 'anycast_holder/vip/p6'],
      i1: ['anycast/vip', 'anycast_holder/vip/p5', 'anycast_holder/vip/p6'],
      i5: ['anycast_holder/vip/p5', 'virtual_ip/vip'],
      i6: ['anycast_holder/vip/p6', 'virtual_ip/vip'],
    });
  });

  test('of several is for everyone to choose one, where spokes may meet them without a hub', () => {
    const anycast = { ...virtualIp, anycast: true, holder: null, candidates: ['p2', 'p6'] };
    const impact = changeItem(fleetOf(), null, anycast);
    expect(Object.keys(impact)).toEqual(everyone);
    const known = ['anycast/vip', 'anycast_holder/vip/p2', 'anycast_holder/vip/p6'];
    expect(impact).toMatchObject({ i2: [...known, 'virtual_ip/vip'], i9: known });
  });
});

test('a device reaches its hub, and the way to it the others', () => {
  const impact = changeItem(fleetOf(), null, device);
  expect(impact['i0']).toEqual(['device/device', 'peer/wg-n0/device-key']);
  expect(impact['i1']).toEqual(['route/fd00::e:1/128']);
  expect(impact['i9']).toEqual(['route/fd00::e:1/128']);
});

test('a port mapping reaches its hub, and so does a change of what it leads to', () => {
  const fleet = fleetOf([virtualIp]);
  expect(changeItem(fleet, null, mapping)).toEqual({ i0: ['port_mapping/mapping'] });
  const other = { ...virtualIp, addresses: ['fd00::f:2'] };
  expect(changeItem(fleet, virtualIp, other)['i0']).toContain('port_mapping/mapping');
});

describe('endpoints that no other machine can call', () => {
  const calledBySpoke = (members: Partial<PeerModel>) => {
    const index = new FleetIndex();
    index.apply({ kind: 'network_created', network });
    for (const one of [peer(0, members), peer(1), peer(2)])
      index.apply({ kind: 'peer_changed', networkId: 'n0', before: null, after: one });
    return index.compile('i2').flatMap(({ value }) => (value.kind === 'peer' ? (value.endpoint ?? []) : []));
  };

  test.each([
    '127.0.0.1:51820',
    '224.0.0.1:51820',
    '[fe80::1]:51820',
    '[fd00::1]:51820',
    '[::ffff:7f00:1]:1',
  ])('a hub at %s is no hub that spokes are told to call [9.8]', (endpoint) => {
    expect(new Set(calledBySpoke({ endpoint }))).toEqual(new Set(['192.0.2.1:51820']));
  });

  test('a hub at a private address is called there: its members may be inside [9.8]', () => {
    expect(calledBySpoke({ endpoint: '192.168.1.5:51820' })).toContain('192.168.1.5:51820');
  });
});
