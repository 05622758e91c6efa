// What the platform is told, and what it is spared.
import type { EntryValue } from '@powernode/core/wire/document';
import { observed } from '@powernode/core/wire/node-stream';
import { describe, expect, test } from 'vitest';
import { documentOf, hubDocument, peerOf, route } from '../fixtures/documents.ts';
import { nothingObserved, type ObservedPeer, type ObservedState } from '../subsystems/observed.ts';
import { healthOf, type SubsystemHealth } from '../subsystems/subsystem.ts';
import { Reporter, type Situation } from './reporter.ts';

const key = (number: number) => `${String(number).padStart(43, 'K')}=`;
const startMs = 1_800_000_000_000;

function seenPeer(number: number, change: Partial<ObservedPeer> = {}): ObservedPeer {
  const of = { endpoint: null, allowedIps: [], keepalive: 0, hasPresharedKey: false };
  return { publicKey: key(number), lastHandshakeS: 0, rxBytes: 0, txBytes: 0, ...of, ...change };
}

function observedWith(peers: readonly ObservedPeer[]): ObservedState {
  const device = {
    publicKey: key(0),
    listenPort: 1,
    peers: new Map(peers.map((peer) => [peer.publicKey, peer])),
  };
  const of = {
    prepared: true,
    grouped: true,
    flavour: 'kernel',
    mtu: 1420,
    up: true,
    addresses: [],
  } as const;
  return {
    ...nothingObserved,
    interfaces: new Map([['wg-test', { name: 'wg-test', ours: true, ...of, device }]]),
  };
}

function situation(peers: readonly ObservedPeer[], change: Partial<Situation> = {}): Situation {
  const entries: EntryValue[] = peers.map((peer, i) =>
    peerOf({ interface: 'wg-test', number: i, publicKey: peer.publicKey }),
  );
  return {
    observed: observedWith(peers),
    entries: documentOf([...hubDocument(1, key(0)), ...entries]),
    choices: new Map([['fd00:99::/64', 'wg-test']]),
    isDirect: () => false,
    ruleCounts: new Map(),
    health: healthWith(),
    underlay: [],
    podSlices: null,
    frr: null,
    routingDaemon: null,
    bgpSessions: [],
    virtualIpHealth: [],
    nowMs: startMs,
    ...change,
  };
}

function healthWith(nftables: SubsystemHealth = healthOf([])): ReadonlyMap<string, SubsystemHealth> {
  return new Map([
    ['wireguard', healthOf([], 'in the kernel')],
    ['addresses', healthOf([])],
    ['routing', healthOf([])],
    ['nftables', nftables],
  ]);
}

/** One that has said hello, with an empty underlay. */
function fresh(): Reporter {
  const reporter = new Reporter();
  reporter.startAnew([]);
  return reporter;
}

describe('a report', () => {
  test('has everything once, fits the protocol, and then nothing', () => {
    const reporter = fresh();
    const frames = reporter.report(situation([seenPeer(1), seenPeer(2, { lastHandshakeS: startMs / 1000 })]));
    expect(frames).toHaveLength(1);
    expect(observed.parse(frames[0])).toEqual(frames[0]);
    expect(frames[0]?.tunnels.map((one) => one.last_handshake_at)).toEqual([
      null,
      '2027-01-15T08:00:00.000Z',
    ]);
    expect(frames[0]?.subsystems.map((one) => `${one.name} ${one.state}`)).toEqual([
      'wireguard ok',
      'addresses ok',
      'routing ok',
      'nftables ok',
    ]);
    expect(frames[0]?.routes).toEqual([{ destination: 'fd00:99::/64', via: 'wg-test' }]);
    expect(
      reporter.report(situation([seenPeer(1), seenPeer(2, { lastHandshakeS: startMs / 1000 })])),
    ).toEqual([]);
    reporter.startAnew([]);
    expect(reporter.report(situation([seenPeer(1)]))[0]?.tunnels).toHaveLength(1);
  });

  test('has FRR while a network speaks BGP, and says once when none does any more', () => {
    const reporter = fresh();
    const told = (frr: Situation['frr']) =>
      reporter
        .reportState(situation([], { frr }))
        .flatMap(({ subsystems }) => subsystems)
        .filter(({ name }) => name === 'frr')
        .map(({ state, message }) => `${state}: ${message}`);
    expect(told(null)).toEqual([]);
    const runs = { state: 'ok', message: 'FRR 8.4.4, iBGP in wg-test' } as const;
    expect(told(runs)).toEqual(['ok: FRR 8.4.4, iBGP in wg-test']);
    expect(told(runs)).toEqual([]);
    expect(told({ state: 'degraded', message: 'FRR is not installed.' })).toEqual([
      'degraded: FRR is not installed.',
    ]);
    expect(told(null)).toEqual(['ok: No network of this instance uses iBGP.']);
    expect(told(null)).toEqual([]);
  });

  test('says whether FRR can be used once it is known, and when it is otherwise', () => {
    const reporter = fresh();
    const told = (routingDaemon: Situation['routingDaemon']) =>
      reporter.reportState(situation([], { routingDaemon })).flatMap((frame) => {
        expect(observed.parse(frame)).toEqual(frame);
        return frame.routing_daemon ?? [];
      });
    expect(told(null)).toEqual([]);
    expect(told({ missing: null })).toEqual([{ missing: null }]);
    expect(told({ missing: null })).toEqual([]);
    expect(told({ missing: 'FRR is not installed.' })).toEqual([{ missing: 'FRR is not installed.' }]);
    reporter.startAnew([]);
    expect(told({ missing: 'FRR is not installed.' })).toHaveLength(1);
  });

  test('has a handshake at once, and counters only now and then', () => {
    const reporter = fresh();
    const at = (seconds: number, change: Partial<ObservedPeer>) =>
      reporter
        .report(situation([seenPeer(1, change), seenPeer(2)], { nowMs: startMs + seconds * 1000 }))
        .flatMap((frame) => frame.tunnels)
        .map((one) => `${one.rx_bytes} ${one.endpoint ?? ''}`);
    at(0, {});
    expect(at(1, { rxBytes: 100 })).toEqual([]);
    expect(at(2, { rxBytes: 200, lastHandshakeS: 1 })).toEqual(['200 ']);
    expect(at(3, { rxBytes: 300, lastHandshakeS: 1, endpoint: '192.0.2.1:1' })).toEqual(['300 192.0.2.1:1']);
    expect(at(32, { rxBytes: 400, lastHandshakeS: 1, endpoint: '192.0.2.1:1' })).toEqual([]);
    expect(at(33, { rxBytes: 500, lastHandshakeS: 1, endpoint: '192.0.2.1:1' })).toEqual(['500 192.0.2.1:1']);
  });

  test('is silent about peers that are not in the document', () => {
    const peers = [seenPeer(1), seenPeer(2)];
    const entries = documentOf([peerOf({ interface: 'wg-test', number: 1, publicKey: key(1) })]);
    const [frame] = new Reporter().report(situation(peers, { entries }));
    expect(frame?.tunnels.map((one) => one.public_key)).toEqual([key(1)]);
  });

  test('of very many tunnels comes in several frames', () => {
    const peers = Array.from({ length: 10_001 }, (_, i) => seenPeer(i + 1));
    const frames = new Reporter().report(situation(peers));
    expect(frames.map((frame) => frame.tunnels.length)).toEqual([5000, 5000, 1]);
  });

  test('has drift until it was told, and the newest when there is too much', () => {
    const reporter = fresh();
    reporter.report(situation([]));
    reporter.addDrift(Array.from({ length: 150 }, (_, i) => ({ atMs: startMs, key: `k${i}`, detail: 'd' })));
    const [frame] = reporter.report(situation([]));
    expect(frame?.drift).toHaveLength(100);
    expect(frame?.drift.at(-1)).toEqual({ at: '2027-01-15T08:00:00.000Z', key: 'k149', detail: 'd' });
    expect(reporter.report(situation([]))).toEqual([]);
    expect(reporter.recentDrift).toHaveLength(100);
  });

  test('says which subsystem fails and why, and when it is well again', () => {
    const reporter = fresh();
    reporter.report(situation([]));
    const health = healthWith({ state: 'failed', message: 'nft is missing' });
    expect(reporter.report(situation([], { health }))[0]?.subsystems).toMatchObject([
      { name: 'nftables', state: 'failed', message: 'nft is missing' },
    ]);
    expect(reporter.report(situation([], { health }))).toEqual([]);
    expect(reporter.report(situation([]))[0]?.subsystems).toMatchObject([
      { name: 'nftables', state: 'ok', message: '' },
    ]);
  });

  test('has routes that could go several ways, when they change, and not those to single machines', () => {
    const reporter = fresh();
    const entries = documentOf([route('fd00::/64', 'wg-a-1', 'wg-a-2'), route('fd00::7/128', 'wg-a')]);
    const routesWith = (via: string | null) => {
      const choices = new Map([
        ['fd00::/64', via],
        ['fd00::7/128', 'wg-a'],
      ]);
      return reporter.report(situation([], { entries, choices })).flatMap((frame) => frame.routes);
    };
    expect(routesWith('wg-a-1')).toEqual([{ destination: 'fd00::/64', via: 'wg-a-1' }]);
    expect(routesWith('wg-a-1')).toEqual([]);
    expect(routesWith(null)).toEqual([{ destination: 'fd00::/64', via: null }]);
  });

  test('says that a route to a spoke without a hub is gone, once', () => {
    const reporter = fresh();
    const network = route('fd00::/64', 'wg-a-1', 'wg-a-2');
    const direct = route('fd00::7/128', 'wg-a');
    const told = (choices: readonly (readonly [string, string | null])[], change: Partial<Situation> = {}) =>
      reporter
        .report(
          situation([], {
            entries: documentOf([network, direct]),
            choices: new Map([['fd00::/64', 'wg-a-1'], ...choices]),
            isDirect: ({ destination }) => destination === direct.destination,
            ...change,
          }),
        )
        .flatMap((frame) => frame.routes);
    const isGone = [{ destination: 'fd00::7/128', via: null }];
    expect(told([['fd00::7/128', 'wg-a']])).toHaveLength(2);
    // Its NAT turned out to be symmetric: the document has the route no more.
    expect(told([], { entries: documentOf([network]) })).toEqual(isGone);
    expect(told([], { entries: documentOf([network]) })).toEqual([]);
    expect(told([['fd00::7/128', 'wg-a']])).toEqual([{ destination: 'fd00::7/128', via: 'wg-a' }]);
    // The other one can be called at a place of its own now: there is nothing to learn from the route.
    expect(told([['fd00::7/128', 'wg-a']], { isDirect: () => false })).toEqual(isGone);
    expect(told([['fd00::7/128', null]])).toEqual(isGone);
    expect(told([], { entries: documentOf([network]) })).toEqual([]);
  });
});

test('counts of rules are told when they have changed, and all of them on a new stream', () => {
  const reporter = fresh();
  const counted = situation([], { ruleCounts: new Map([['r1', { packets: 3, bytes: 300 }]]) });
  expect(reporter.report(counted).at(-1)?.rules).toEqual([{ rule_id: 'r1', packets: 3, bytes: 300 }]);
  expect(reporter.report(counted)).toEqual([]);
  reporter.startAnew([]);
  expect(reporter.report(counted).at(-1)?.rules).toHaveLength(1);
});

test('another underlay than the hello had is told once, as a whole [9.10]', () => {
  const reporter = fresh();
  reporter.report(situation([]));
  const underlay = [{ kind: 'gateway', at: '192.168.1.1/32', interface: 'eth0' } as const];
  const [frame] = reporter.report(situation([], { underlay }));
  expect(observed.parse(frame).underlay).toEqual(underlay);
  expect(reporter.report(situation([], { underlay }))).toEqual([]);
  expect(reporter.report(situation([], { underlay: [] }))[0]?.underlay).toEqual([]);
});
