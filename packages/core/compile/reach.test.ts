// Whom single changes reach: those whose documents they change, and nobody beside.
import { describe, expect, test } from 'vitest';
import type { Effect } from './effect.ts';
import { FleetIndex } from './fleet-index.ts';
import type {
  Item,
  NetworkModel,
  PeerModel,
  PortMappingModel,
  RuleModel,
  UserDeviceModel,
  VirtualIpModel,
} from './model.ts';

const network: NetworkModel = {
  id: 'n0',
  accountId: 'a',
  handle: 'n0',
  prefix: 'fd00::/64',
  ipv4Prefix: null,
  mtu: 1420,
  topologyStrategy: 'hub_and_spoke',
  firewallDefaultPolicy: 'accept',
};

/** Peers p0 and p1 are hubs; p2 and so on are spokes, of which p2 to p4 are met where hubs see them. */
function peer(i: number, members: Partial<PeerModel> = {}): PeerModel {
  const hub = i < 2;
  return {
    id: `p${i}`,
    networkId: 'n0',
    instanceId: `i${i}`,
    hostAddress: `fd00::${i + 1}`,
    ipv4Address: null,
    publicKey: `k${i}`,
    directKey: hub ? null : `d${i}`,
    directEndpoint: i >= 2 && i <= 4 ? `198.51.100.${i}:4000` : null,
    hubSlot: hub ? i + 1 : null,
    endpoint: hub ? `192.0.2.${i}:51820` : null,
    listenPort: 51820,
    tags: [],
    draining: false,
    ...members,
  };
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
function reached({ shared, single }: Effect): Record<string, string[]> {
  const keys = new Map<string, string[]>();
  const give = (instanceId: string, given: Effect['shared'][number]['patch']) => {
    keys.set(instanceId, [...(keys.get(instanceId) ?? []), ...given.set.keys(), ...given.remove].sort());
  };
  for (const { instances, patch } of shared) for (const id of instances) give(id, patch);
  for (const [id, patch] of single) give(id, patch);
  return Object.fromEntries([...keys].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function change(fleet: FleetIndex, before: PeerModel | null, after: PeerModel | null) {
  return reached(fleet.apply({ kind: 'peer_changed', networkId: 'n0', before, after }));
}

function changeItem(fleet: FleetIndex, before: Item | null, after: Item | null) {
  return reached(fleet.apply({ kind: 'item_changed', networkId: 'n0', before, after }));
}

const everyone = Array.from({ length: 10 }, (_, i) => `i${i}`);
const hubs = ['i0', 'i1'];

describe('a spoke', () => {
  test('that is attached reaches the hubs, and what they get is shared', () => {
    const fleet = fleetOf();
    const effect = fleet.apply({ kind: 'peer_changed', networkId: 'n0', before: null, after: peer(10) });
    expect(effect.shared.map((group) => [...group.instances].sort())).toEqual([hubs]);
    expect([...effect.single.keys()]).toEqual(['i10']);
    expect([...(effect.shared[0]?.patch.set.keys() ?? [])]).toEqual(['peer/wg-n0/k10', 'peer/wg-n0/d10']);
  });

  test('that hubs see where it can be called reaches the other such spokes', () => {
    const fleet = fleetOf();
    const effect = change(fleet, peer(9), peer(9, { directEndpoint: '198.51.100.9:4000' }));
    expect(Object.keys(effect)).toEqual(['i2', 'i3', 'i4', 'i9']);
    expect(effect['i2']).toContain('peer/wg-n0/d9');
  });

  test('that is tagged with what no rule names reaches nobody', () => {
    const fleet = fleetOf([{ ...rule, destination: { kind: 'tag', tag: 'db' } }]);
    expect(change(fleet, peer(7), peer(7, { tags: ['web'] }))).toEqual({});
  });

  test('that is tagged with what a rule names is a new member for everyone', () => {
    const fleet = fleetOf([{ ...rule, destination: { kind: 'tag', tag: 'web' } }]);
    const effect = change(fleet, peer(7), peer(7, { tags: ['web'] }));
    expect(Object.keys(effect)).toEqual(everyone);
    for (const keys of Object.values(effect)) expect(keys).toEqual(['member/n0/web/fd00::8']);
  });
});

describe('a hub', () => {
  test('that drains is for the spokes to prefer less', () => {
    const effect = change(fleetOf(), peer(0), peer(0, { draining: true }));
    const routes = Object.entries(effect).filter(([, keys]) => keys.join() === 'route/fd00::/64');
    expect(routes.length).toBeGreaterThan(0);
    expect(routes.length).toBe(Object.keys(effect).length);
    expect(routes.every(([id]) => !hubs.includes(id))).toBe(true);
  });

  test('with another key reaches everyone by what is shared, and no way of its own is sent again', () => {
    const effect = change(fleetOf(), peer(0), peer(0, { publicKey: 'k0b' }));
    expect(Object.keys(effect)).toEqual(everyone);
    expect(effect['i9']).not.toContain('interface/wg-n0');
    expect(effect['i9']).not.toContain('route/fd00::/64');
  });
});

describe('the network', () => {
  test('with another policy gives everyone that, and nothing else', () => {
    const effect = fleetOf().apply({
      kind: 'network_updated',
      network: { ...network, firewallDefaultPolicy: 'drop' },
    });
    expect(reached(effect)).toEqual(Object.fromEntries(everyone.map((id) => [id, ['firewall/n0']])));
    expect(effect.single.size).toBe(0);
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
    const effect = fleet.apply({ kind: 'item_changed', networkId: 'n0', before: all, after: rule });
    const [shared, ...others] = effect.shared;
    expect(others).toEqual([]);
    expect([...(shared?.patch.remove ?? [])]).toEqual(['rule/rule']);
    expect(shared?.instances.toSorted()).toEqual(everyone.filter((id) => id !== 'i5'));
    expect([...effect.single.keys()]).toEqual(['i5']);
    expect([...(effect.single.get('i5')?.set.keys() ?? [])]).toEqual(['rule/rule']);
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
    const effect = changeItem(
      fleetOf([virtualIp, { ...rule, destination: { kind: 'virtual_ip', id: 'vip' } }]),
      virtualIp,
      moved,
    );
    expect(effect).toEqual({
      i0: ['peer/wg-n0/k5', 'peer/wg-n0/k6'],
      i1: ['peer/wg-n0/k5', 'peer/wg-n0/k6'],
      i5: ['virtual_ip/vip'],
      i6: ['virtual_ip/vip'],
    });
  });

  test('and those who meet them without a hub', () => {
    const direct = { ...virtualIp, candidates: ['p2', 'p3'], holder: 'p2' };
    const effect = changeItem(fleetOf([direct]), direct, { ...direct, holder: 'p3', epoch: 2 });
    expect(Object.keys(effect)).toEqual(['i0', 'i1', 'i2', 'i3', 'i4']);
    // One entry that changes nothing for the route: both are met on the leaf interface.
    expect(effect['i4']).toEqual(['peer/wg-n0/d2', 'peer/wg-n0/d3']);
  });

  test('that moves between hubs is one route that changes for the spokes', () => {
    const held = { ...virtualIp, candidates: ['p0', 'p1'], holder: 'p0' };
    const effect = changeItem(fleetOf([held]), held, { ...held, holder: 'p1', epoch: 2 });
    expect(effect['i9']).toEqual(['route/fd00::f:1/128']);
    expect(Object.keys(effect)).toEqual(everyone);
  });

  test('is watched by hubs while there is another that could hold it', () => {
    const alone = { ...virtualIp, candidates: ['p5'] };
    const fleet = fleetOf([alone]);
    const effect = changeItem(fleet, alone, virtualIp);
    expect(effect).toEqual({
      i0: ['watch/vip/p5', 'watch/vip/p6'],
      i1: ['watch/vip/p5', 'watch/vip/p6'],
      i5: ['virtual_ip/vip'],
    });
  });

  test('of several is for the hubs to choose a holder for', () => {
    const anycast = { ...virtualIp, anycast: true, holder: null };
    expect(changeItem(fleetOf(), null, anycast)).toEqual({
      i0: ['anycast/vip'],
      i1: ['anycast/vip'],
      i5: ['virtual_ip/vip'],
      i6: ['virtual_ip/vip'],
    });
  });

  test('of several is for everyone to choose one, where spokes may meet them without a hub', () => {
    const anycast = { ...virtualIp, anycast: true, holder: null, candidates: ['p2', 'p6'] };
    const effect = changeItem(fleetOf(), null, anycast);
    expect(Object.keys(effect)).toEqual(everyone);
    expect(effect).toMatchObject({ i2: ['anycast/vip', 'virtual_ip/vip'], i9: ['anycast/vip'] });
  });
});

test('a device reaches its hub, and the way to it the others', () => {
  const effect = changeItem(fleetOf(), null, device);
  expect(effect['i0']).toEqual(['device/device', 'peer/wg-n0/device-key']);
  expect(effect['i1']).toEqual(['route/fd00::e:1/128']);
  expect(effect['i9']).toEqual(['route/fd00::e:1/128']);
});

test('a port mapping reaches its hub, and so does a change of what it leads to', () => {
  const fleet = fleetOf([virtualIp]);
  expect(changeItem(fleet, null, mapping)).toEqual({ i0: ['port_mapping/mapping'] });
  const other = { ...virtualIp, addresses: ['fd00::f:2'] };
  expect(changeItem(fleet, virtualIp, other)['i0']).toContain('port_mapping/mapping');
});
