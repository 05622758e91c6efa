// What the platform is told, and what it is spared.
import type { EntryValue } from '@powernode/core/wire/document';
import { observed } from '@powernode/core/wire/node-stream';
import { describe, expect, test } from 'vitest';
import { documentOf, hubDocument, peerOf, route } from '../fixtures/documents.ts';
import { nothingSeen, type Seen, type SeenPeer } from '../plan/seen.ts';
import { Reporter, type Situation } from './reporter.ts';

const key = (number: number) => `${String(number).padStart(43, 'K')}=`;
const startMs = 1_800_000_000_000;

function seenPeer(number: number, change: Partial<SeenPeer> = {}): SeenPeer {
  const of = { endpoint: null, allowedIps: [], keepalive: 0, hasPresharedKey: false };
  return { publicKey: key(number), lastHandshakeS: 0, rxBytes: 0, txBytes: 0, ...of, ...change };
}

function seenWith(peers: readonly SeenPeer[]): Seen {
  const device = {
    publicKey: key(0),
    listenPort: 1,
    peers: new Map(peers.map((peer) => [peer.publicKey, peer])),
  };
  const of = { prepared: true, flavour: 'kernel', mtu: 1420, up: true, addresses: [] } as const;
  return {
    ...nothingSeen,
    interfaces: new Map([['wg-test', { name: 'wg-test', ours: true, ...of, device }]]),
  };
}

function situation(peers: readonly SeenPeer[], change: Partial<Situation> = {}): Situation {
  const entries: EntryValue[] = peers.map((peer, i) =>
    peerOf({ interface: 'wg-test', number: i, publicKey: peer.publicKey }),
  );
  return {
    seen: seenWith(peers),
    entries: documentOf([...hubDocument(1, key(0)), ...entries]),
    choices: new Map([['fd00:99::/64', 'wg-test']]),
    isDirect: () => false,
    ruleCounts: new Map(),
    problems: [],
    flavour: 'kernel',
    nowMs: startMs,
    ...change,
  };
}

describe('a report', () => {
  test('has everything once, fits the protocol, and then nothing', () => {
    const reporter = new Reporter();
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
    reporter.startAnew();
    expect(reporter.report(situation([seenPeer(1)]))[0]?.tunnels).toHaveLength(1);
  });

  test('has a handshake at once, and counters only now and then', () => {
    const reporter = new Reporter();
    const at = (seconds: number, change: Partial<SeenPeer>) =>
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
    const reporter = new Reporter();
    reporter.report(situation([]));
    reporter.addDrift(Array.from({ length: 150 }, (_, i) => ({ atMs: startMs, key: `k${i}`, detail: 'd' })));
    const [frame] = reporter.report(situation([]));
    expect(frame?.drift).toHaveLength(100);
    expect(frame?.drift.at(-1)).toEqual({ at: '2027-01-15T08:00:00.000Z', key: 'k149', detail: 'd' });
    expect(reporter.report(situation([]))).toEqual([]);
    expect(reporter.recentDrift).toHaveLength(100);
  });

  test('says which subsystem fails and why, and when it is well again', () => {
    const reporter = new Reporter();
    reporter.report(situation([]));
    const problems = [{ room: 'nftables', detail: 'nft is missing' } as const];
    expect(reporter.report(situation([], { problems }))[0]?.subsystems).toMatchObject([
      { name: 'nftables', state: 'failed', message: 'nft is missing' },
    ]);
    expect(reporter.report(situation([], { problems }))).toEqual([]);
    expect(reporter.report(situation([]))[0]?.subsystems).toMatchObject([
      { name: 'nftables', state: 'ok', message: '' },
    ]);
  });

  test('has routes that could go several ways, when they change, and not those to single machines', () => {
    const reporter = new Reporter();
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
});

test('counts of rules are told when they have changed, and all of them on a new stream', () => {
  const reporter = new Reporter();
  const counted = situation([], { ruleCounts: new Map([['r1', { packets: 3, bytes: 300 }]]) });
  expect(reporter.report(counted).at(-1)?.rules).toEqual([{ rule_id: 'r1', packets: 3, bytes: 300 }]);
  expect(reporter.report(counted)).toEqual([]);
  reporter.startAnew();
  expect(reporter.report(counted).at(-1)?.rules).toHaveLength(1);
});
