// What bgpd answers, as FRR 8.4 prints it, and what is read of it.
import { describe, expect, test } from 'vitest';
import { readNeighbors, readSummary, readTable } from './answers.ts';

/** A session as FRR prints it, without what is not read. */
const established = {
  remoteAs: 65000,
  bgpState: 'Established',
  bgpTimerUpMsec: 7900,
  addressFamilyInfo: {
    ipv4Unicast: { acceptedPrefixCounter: 1, sentPrefixCounter: 2 },
    ipv6Unicast: { acceptedPrefixCounter: 3 },
  },
  lastResetDueTo: 'Waiting for peer OPEN',
  peerBfdInfo: { type: 'multi hop', status: 'Up' },
};

describe('sessions', () => {
  test('that are up', () => {
    expect(readNeighbors({ 'fd00:1::101': established })).toEqual([
      {
        neighbor: 'fd00:1::101',
        state: 'Established',
        uptimeSeconds: 7,
        prefixesReceived: 4,
        lastError: null,
        bfd: 'up',
      },
    ]);
  });

  test.each([
    [{ lastResetDueTo: 'BFD down received' }, 'BFD down received'],
    [{ lastResetDueTo: 'Waiting for NHT' }, 'Waiting for NHT'],
    [{ lastResetDueTo: 'Waiting for peer OPEN' }, 'Waiting for peer OPEN'],
    [{}, null],
    [
      {
        lastResetDueTo: 'BGP Notification received',
        lastNotificationReason: 'Cease/Administrative Shutdown',
        lastShutdownDescription: 'bye',
      },
      'BGP Notification received: Cease/Administrative Shutdown: bye',
    ],
  ])('that are down say why: %j', (why, said) => {
    const [session] = readNeighbors({
      'fd00:1::101': { bgpState: 'Active', bgpTimerUpMsec: 1, ...why },
    });
    expect(session).toMatchObject({ state: 'Active', uptimeSeconds: null, lastError: said, bfd: null });
  });

  test('are idle where FRR has a state of its own', () => {
    expect(readNeighbors({ 'fd00::1': { bgpState: 'Clearing' } })[0]?.state).toBe('Idle');
  });

  test('of an instance without neighbors are none', () => {
    expect(readNeighbors({ vrfId: 0, vrfName: 'default' })).toEqual([]);
    expect(readNeighbors({})).toEqual([]);
  });

  test('with a member of another type or size are refused', () => {
    expect(() => readNeighbors({ 'fd00::1': { bgpState: 5 } })).toThrow('a text was expected');
    expect(() => readNeighbors({ [`fd00::${'1'.repeat(80)}`]: established })).toThrow('64 characters');
  });
});

describe('tables', () => {
  const path = {
    valid: true,
    locPrf: 100,
    metric: 0,
    weight: 0,
    peerId: 'fd00:1::101',
    path: '',
    origin: 'IGP',
    nexthops: [{ ip: 'fd00:1::101', afi: 'ipv6', scope: 'global', used: true }],
  };
  const best = { ...path, bestpath: true };
  const table = (paths: readonly unknown[]) =>
    readTable({ tableVersion: 2, routes: { '192.168.2.0/24': paths } });

  test('have the best path of a prefix, and the next hops of those that are as good', () => {
    const other = { ...path, nexthops: [{ ip: 'fd00:1::100', used: true }] };
    expect(table([other, best]).best.get('192.168.2.0/24')).toEqual({
      nextHops: ['fd00:1::101'],
      local: false,
      from: 'fd00:1::101',
      localPreference: 100,
      metric: 0,
      weight: 0,
      asPath: '',
      origin: 'IGP',
      paths: 2,
    });
    const equal = { ...other, multipath: true };
    expect(table([equal, { ...best, multipath: true }]).best.get('192.168.2.0/24')?.nextHops).toEqual([
      'fd00:1::100',
      'fd00:1::101',
    ]);
  });

  test('say what this machine announces itself', () => {
    const { locPrf: _, ...local } = {
      ...best,
      peerId: '(unspec)',
      weight: 32768,
      nexthops: [{ ip: '::', used: true }],
    };
    expect(table([local]).best.get('192.168.2.0/24')).toMatchObject({
      nextHops: [],
      local: true,
      from: null,
      localPreference: null,
    });
  });

  test('leave out prefixes without a best path', () => {
    expect(table([{ ...path, valid: false }]).best.size).toBe(0);
    expect(readTable({}).best.size).toBe(0);
  });
});

test('a table of 1,000 prefixes with two paths each is read while nothing else has to wait', () => {
  const path = (peerId: string) => ({
    ...{
      valid: true,
      pathFrom: 'internal',
      prefix: 'fd00:a::',
      prefixLen: 64,
      network: 'fd00:a::/64',
      version: 7,
    },
    ...{ metric: 0, locPrf: 100, weight: 0, peerId, path: '', origin: 'IGP' },
    nexthops: [{ ip: peerId, afi: 'ipv6', scope: 'global', used: true }],
  });
  const prefixes = Array.from({ length: 1000 }, (_, i) => `fd00:a:${i.toString(16)}::/48`);
  const paths = [{ ...path('fd00::1'), bestpath: true }, path('fd00::2')];
  const answer = { tableVersion: 1, routes: Object.fromEntries(prefixes.map((one) => [one, paths])) };
  const times = Array.from({ length: 9 }, () => {
    const startedMs = performance.now();
    expect(readTable(answer).best.size).toBe(1000);
    return performance.now() - startedMs;
  });
  expect(times.sort((a, b) => a - b)[4]).toBeLessThan(40);
});

test('a summary changes with the state of a session, its prefixes and its reconnections alone', () => {
  const peer = { state: 'Established', pfxRcd: 1, connectionsEstablished: 1, connectionsDropped: 0 };
  const sign = (more: object) =>
    readSummary({ tableVersion: 3, peers: { 'fd00::1': { ...peer, ...more } } }).sessions;
  expect(sign({ peerUptimeMsec: 9000, msgRcvd: 7 })).toBe(sign({ peerUptimeMsec: 1000, msgRcvd: 6 }));
  const others = [
    { state: 'Active' },
    { pfxRcd: 2 },
    { connectionsEstablished: 2 },
    { connectionsDropped: 1 },
  ];
  expect(new Set(others.map(sign)).size).toBe(4);
  expect(readSummary({})).toEqual({ version: 0, sessions: '' });
});
