// Which way a route goes, as paths live and die.
import type { AnycastEntry, EntryValue, ProbeEntry, RouteEntry } from '@powernode/core/wire/document';
import { entryKey } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { describe, expect, test } from 'vitest';
import type { PathState } from '../probe/path-state.ts';
import { noDecisions } from './bgp-decisions.ts';
import type { PathHealth } from './health.ts';
import { PathIndex } from './path-index.ts';
import type { HolderState, SourceState } from './probe-health.ts';
import { RouteChooser } from './route-choice.ts';

const prefix = 'fd00::/64';
const hub1 = 'fd00::101/128';
const friend = 'fd00::200/128';

function route(destination: string, ...via: string[]): RouteEntry {
  return { kind: 'route', network_id: 'n', destination, via };
}

function interfaceNamed(name: string, purpose: 'leaf' | 'transit'): EntryValue {
  const of = { network_id: 'n', peer_id: 'p', public_key: 'k', listen_port: 0, mtu: 1420 };
  const addresses = purpose === 'leaf' ? ['fd00::1/128', '100.64.0.2/32'] : [];
  return { kind: 'interface', name, purpose, ...of, addresses, probe_addresses: [] };
}

function peer(name: string, publicKey: string, ...allowed: string[]): EntryValue {
  const of = { peer_id: publicKey, endpoint: null, allowed_ips: allowed, keepalive: 25 };
  return { kind: 'peer', interface: name, public_key: publicKey, ...of };
}

function probe(purpose: ProbeEntry['purpose'], name: string, publicKey: string, target: string): EntryValue {
  return { kind: 'probe', network_id: 'n', interface: name, public_key: publicKey, purpose, target };
}

class Paths implements PathHealth {
  readonly states: Record<string, PathState> = {};
  of({ publicKey }: { readonly publicKey: string }): PathState {
    return this.states[publicKey] ?? 'untried';
  }
}

/** A node with these entries. Calling it says how paths are now, and answers with where everything goes. */
function node(entries: readonly EntryValue[]) {
  const chooser = new RouteChooser();
  const health = new Paths();
  const sources = new Map<string, SourceState>();
  const holders = new Map<string, HolderState>();
  const index = new PathIndex();
  const take = (values: readonly EntryValue[]) => index.update(nodeDocumentOf(values), 'all');
  take(entries);
  const at = (states: Record<string, PathState> = {}) => {
    Object.assign(health.states, states);
    chooser.choose({ index, health, sources, bgp: noDecisions, holders, nowMs: 0 });
    return Object.fromEntries(chooser.choices);
  };
  return { chooser, health, sources, holders, index, take, at };
}

/** A spoke with two transit hubs and a friend that it reaches directly. */
const spokeEntries = [
  interfaceNamed('wg-a', 'leaf'),
  interfaceNamed('wg-a-1', 'transit'),
  interfaceNamed('wg-a-2', 'transit'),
  peer('wg-a-1', 'hub1', '::/0'),
  peer('wg-a-2', 'hub2', '::/0'),
  peer('wg-a', 'friend', friend),
  route(prefix, 'wg-a-1', 'wg-a-2'),
  route(hub1, 'wg-a-1'),
  route(friend, 'wg-a'),
];
const spoke = () => node(spokeEntries);

describe('a machine without an address of its network’s IPv4 prefix', () => {
  const ipv4Prefix = '100.64.0.0/18';
  const hubIpv4 = '100.64.0.1/32';
  const anycast: AnycastEntry = {
    kind: 'anycast',
    network_id: 'n',
    virtual_ip_id: 'v',
    destinations: ['fd00::9/128', '100.64.0.9/32'],
    by: [{ interface: 'wg-a-1', public_key: 'hub1' }],
  };
  const given = [...spokeEntries, route(ipv4Prefix, 'wg-a-1'), route(hubIpv4, 'wg-a-1'), anycast];
  const refused = given.map((entry) =>
    entry.kind === 'interface' && entry.purpose === 'leaf' ? { ...entry, addresses: ['fd00::1/128'] } : entry,
  );

  test('routes nothing of it, whatever the document leads there [9.26]', () => {
    const alive = { hub1: 'alive', hub2: 'alive' } as const;
    expect(node(given).at(alive)).toMatchObject({
      [ipv4Prefix]: 'wg-a-1',
      [hubIpv4]: 'wg-a-1',
      '100.64.0.9/32': 'wg-a-1',
    });
    const bare = node(refused).at(alive);
    expect(bare).toMatchObject({ [prefix]: 'wg-a-1', 'fd00::9/128': 'wg-a-1' });
    for (const destination of [ipv4Prefix, hubIpv4, '100.64.0.9/32'])
      expect(bare[destination] ?? null).toBeNull();
  });

  test('takes its routes away when the address is withdrawn, and puts them back with it [9.26]', () => {
    const { take, at } = node(given);
    expect(at({ hub1: 'alive' })[ipv4Prefix]).toBe('wg-a-1');
    take(refused);
    expect(at()[ipv4Prefix]).toBeNull();
    take(given);
    expect(at()[ipv4Prefix]).toBe('wg-a-1');
  });
});

describe('a spoke of two hubs', () => {
  test('keeps every route at its first interface while no path is known to be alive', () => {
    expect(spoke().at()).toEqual({ [prefix]: 'wg-a-1', [hub1]: 'wg-a-1', [friend]: 'wg-a' });
  });

  test('uses the first hub that is heard at once, and goes to a silent one by way of it', () => {
    const { at } = spoke();
    at();
    expect(at({ hub2: 'returning' })).toEqual({ [prefix]: 'wg-a-2', [hub1]: null, [friend]: null });
  });

  test('goes back to a better path only when that is trusted again', () => {
    const { at } = spoke();
    at({ hub2: 'alive' });
    expect(at({ hub1: 'returning' })[prefix]).toBe('wg-a-2');
    expect(at({ hub1: 'alive' })[prefix]).toBe('wg-a-1');
  });

  test('does not leave a path that is returning for a worse one that is trusted', () => {
    const { at } = spoke();
    at({ hub1: 'returning' });
    expect(at({ hub2: 'alive' })[prefix]).toBe('wg-a-1');
  });

  test('leaves a dead path at once', () => {
    const { at } = spoke();
    at({ hub1: 'alive', hub2: 'alive' });
    expect(at({ hub1: 'dead' })[prefix]).toBe('wg-a-2');
  });

  test('stays where it is when all paths are dead', () => {
    const { at } = spoke();
    at({ hub1: 'dead', hub2: 'alive' });
    expect(at({ hub2: 'dead' })).toEqual({ [prefix]: 'wg-a-2', [hub1]: 'wg-a-1', [friend]: 'wg-a' });
  });

  test('uses another path when that is alive, and leaves it out when it is not', () => {
    const { at } = spoke();
    expect(at({ hub1: 'alive', friend: 'alive' })[friend]).toBe('wg-a');
    expect(at({ friend: 'dead' })[friend]).toBeNull();
    expect(at({ friend: 'returning' })[friend]).toBe('wg-a');
  });

  test('keeps what the kernel had when the agent came until there is a reason', () => {
    const { chooser, at } = spoke();
    chooser.adopt([[prefix, 'wg-a-2']]);
    expect(at({ hub1: 'returning', hub2: 'returning' })[prefix]).toBe('wg-a-2');
    expect(at({ hub1: 'alive' })[prefix]).toBe('wg-a-1');
  });

  test('goes over when the document prefers another hub, though both are well', () => {
    const { at, take } = spoke();
    at({ hub1: 'alive', hub2: 'alive' });
    const drained = route(prefix, 'wg-a-2', 'wg-a-1');
    take(spokeEntries.map((entry) => (entryKey(entry) === entryKey(drained) ? drained : entry)));
    expect(at()[prefix]).toBe('wg-a-2');
  });

  test('says what it decided anew, and only that', () => {
    const { chooser, health, index, sources } = spoke();
    const choose = () =>
      [
        ...chooser.choose({ index, health, sources, bgp: noDecisions, holders: new Map(), nowMs: 0 })
          .destinations,
      ].sort();
    expect(choose()).toEqual([friend, hub1, prefix].sort());
    expect(choose()).toEqual([]);
    health.states['hub2'] = 'alive';
    expect(choose()).toEqual([friend, hub1, prefix].sort());
  });
});

test('a direct path is used while its probes prove it, and never before', () => {
  const target = 'fd00::feff:0:0:200';
  const entries = [
    ...spokeEntries.filter((entry) => entryKey(entry) !== 'peer/wg-a/friend'),
    peer('wg-a', 'friend', friend, `${target}/128`),
    route(`${target}/128`, 'wg-a'),
    probe('direct', 'wg-a', 'friend', target),
  ];
  const { at } = node(entries);
  expect(at()[friend]).toBeNull();
  expect(at({ hub1: 'alive', friend: 'returning' })[friend]).toBeNull();
  expect(at({ friend: 'alive' })[friend]).toBe('wg-a');
  expect(at({ friend: 'dead' })[friend]).toBeNull();
  // The probes themselves go on, or nobody would learn that it is back.
  expect(at()[`${target}/128`]).toBe('wg-a');
});

test('an anycast address is reached by a spoke itself where it meets who answers, and only while that is proven', () => {
  const target = 'fd00::feff:0:0:200';
  const destination = 'fd00::ab/128';
  const entries: EntryValue[] = [
    ...spokeEntries.filter((entry) => entryKey(entry) !== 'peer/wg-a/friend'),
    peer('wg-a', 'friend', friend, `${target}/128`),
    probe('direct', 'wg-a', 'friend', target),
    // By this tunnel hub1 only observes.
    peer('wg-a', 'hub1'),
    {
      kind: 'anycast',
      network_id: 'n',
      virtual_ip_id: 'v',
      destinations: [destination],
      by: ['nobody', 'hub1', 'friend'].map((public_key) => ({ interface: 'wg-a', public_key })),
    },
  ];
  const { at, chooser } = node(entries);
  expect(at({ hub1: 'alive' })).not.toHaveProperty([destination]);
  // What it answers may come straight before.
  expect(Object.fromEntries(chooser.extraAllowedIps)).toEqual({ 'peer/wg-a/friend': [destination] });
  expect(at({ friend: 'returning' })).not.toHaveProperty([destination]);
  expect(at({ friend: 'alive' })[destination]).toBe('wg-a');
  expect(at({ friend: 'dead' })).not.toHaveProperty([destination]);
});

test('who answers for an anycast address itself has no route for it', () => {
  const held: EntryValue = {
    kind: 'virtual_ip',
    network_id: 'n',
    virtual_ip_id: 'v',
    interface: 'wg-a',
    addresses: anycast.destinations,
    epoch: 1,
    lease: null,
  };
  const { at, chooser } = node([...hubEntries, anycast, held]);
  expect(at({ spoke1: 'alive' })).not.toHaveProperty(['fd00::aa/128']);
  // The answers of another one pass through it.
  expect([...chooser.extraAllowedIps.keys()]).toEqual(['peer/wg-a/spoke1']);
});

/** A hub with two spokes and another hub. */
const spoke1 = 'fd00::201/128';
const spoke2 = 'fd00::202/128';
const held = 'fd00::f1/128';
const anycast: AnycastEntry = {
  kind: 'anycast',
  network_id: 'n',
  virtual_ip_id: 'v',
  destinations: ['fd00::aa/128', '100.64.0.9/32'],
  by: [
    { interface: 'wg-a', public_key: 'spoke1' },
    { interface: 'wg-a', public_key: 'spoke2' },
    { interface: 'wg-a-2', public_key: 'hub2' },
  ],
};
const hubEntries = [
  interfaceNamed('wg-a', 'leaf'),
  interfaceNamed('wg-a-2', 'transit'),
  peer('wg-a', 'spoke1', spoke1, held),
  peer('wg-a', 'spoke2', spoke2),
  peer('wg-a-2', 'hub2', '::/0'),
  route(prefix, 'wg-a'),
  route('fd00::102/128', 'wg-a-2'),
];

describe('a hub', () => {
  test('has the whole network on its leaf interface, and the other hub where the document says, dead or alive', () => {
    const { at } = node(hubEntries);
    for (const hub2 of ['untried', 'alive', 'dead'] as const) {
      expect(at({ hub2 })).toEqual({ [prefix]: 'wg-a', 'fd00::102/128': 'wg-a-2' });
    }
  });

  test('sends what is for a spoke on a backup path there, with all that the spoke holds, until it is over', () => {
    const { at, sources, holders, chooser, index, health } = node(hubEntries);
    at();
    sources.set('fd00::201', { state: 'dead', backupVia: 'wg-a-2' });
    const { destinations } = chooser.choose({ index, health, sources, bgp: noDecisions, holders, nowMs: 0 });
    expect([...destinations].sort()).toEqual([spoke1, held].sort());
    expect(at()).toMatchObject({ [spoke1]: 'wg-a-2', [held]: 'wg-a-2', [prefix]: 'wg-a' });
    sources.set('fd00::201', { state: 'alive', backupVia: null });
    expect(at()).toEqual({ [prefix]: 'wg-a', 'fd00::102/128': 'wg-a-2' });
  });

  test('sends what is for an anycast address to the first that is heard, with hysteresis', () => {
    const { at, chooser } = node([...hubEntries, anycast]);
    const taker = () => Object.fromEntries(chooser.extraAllowedIps);
    const to = (name: string) => ({ [`peer/wg-a/${name}`]: anycast.destinations });
    at();
    expect(taker()).toEqual(to('spoke1'));
    at({ spoke2: 'returning' });
    expect(taker()).toEqual(to('spoke2'));
    at({ spoke1: 'returning', spoke2: 'alive' });
    expect(taker()).toEqual(to('spoke2'));
    at({ spoke1: 'alive' });
    expect(taker()).toEqual(to('spoke1'));
    expect(at({ spoke1: 'dead', spoke2: 'dead', hub2: 'alive' })['fd00::aa/128']).toBe('wg-a-2');
    // What a spoke answers is still taken: the other hub may hear it.
    expect(taker()).toEqual(to('spoke1'));
    expect(at({ hub2: 'dead' })['fd00::aa/128']).toBe('wg-a-2');
  });

  test('reaches an anycast address by a backup path when nobody who has it is heard straight', () => {
    const { at, chooser, sources } = node([...hubEntries, { ...anycast, by: anycast.by.slice(0, 1) }]);
    at({ spoke1: 'alive' });
    sources.set('fd00::201', { state: 'dead', backupVia: 'wg-a-2' });
    expect(at({ spoke1: 'dead' })['100.64.0.9/32']).toBe('wg-a-2');
    expect(chooser.extraAllowedIps.size).toBe(0);
  });
});
