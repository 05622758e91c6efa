// Which claims about tunnels count: those of a machine that has the tunnel in the document which it has applied.
import { formatDigest } from '@powernode/core/compile/digest';
import { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { PeerModel } from '@powernode/core/compile/model';
import { networkModel, peerModel } from '@powernode/core/compile/model.fixture';
import { beforeEach, describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../trust/clock.fixture.ts';
import { NodeState } from '../nodes/node-state.ts';
import { DirectAndDeviceKeys } from './direct-and-device-keys.ts';
import { PeerHandshakes } from './peer-handshakes.ts';
import { TunnelReports } from './tunnels.ts';

const network = networkModel();

function peer(id: string, part: Partial<PeerModel> = {}): PeerModel {
  return peerModel({
    id,
    instanceId: `i-${id}`,
    hostAddress: `fd00::${id.length}${id.charCodeAt(id.length - 1)}`,
    publicKey: `key of ${id}`,
    directKey: `direct key of ${id}`,
    ...part,
  });
}

let clock: SimulatedClock;
let handshakes: PeerHandshakes;
let reports: TunnelReports;
let heard: Set<string>;
let fleet: FleetIndex;

beforeEach(() => {
  clock = new SimulatedClock();
  fleet = new FleetIndex();
  handshakes = new PeerHandshakes();
  heard = new Set();
  const peers = [
    peer('hub', { hubSlot: 1, endpoint: '192.0.2.1:51820' }),
    peer('other hub', { hubSlot: 2, endpoint: '192.0.2.2:51820' }),
    peer('spoke'),
    peer('victim'),
  ];
  fleet.load(network, peers);
  for (const one of peers) handshakes.load('a', one, null, clock.now());
  const keys = new DirectAndDeviceKeys();
  for (const index of fleet.networks()) keys.load(index);
  const isHeard = (id: string) => heard.has(id);
  reports = new TunnelReports({ clock, fleet, handshakes, keys, isHeard, due: () => undefined });
});

function node(id: string, applied = true): NodeState {
  const text = fleet.digest(`i-${id}`);
  const digest = BigInt(`0x${text}`);
  return new NodeState({
    instanceId: `i-${id}`,
    accountId: 'a',
    hostname: id,
    desiredRevision: 1,
    digest,
    applied: applied ? { revision: 1, hash: text } : null,
    lastHeartbeatMs: null,
    subsystems: [],
  });
}

function claim(name: string, publicKey: string, ageMs = 1000) {
  const last_handshake_at = new Date(clock.now() - ageMs).toISOString();
  return {
    interface: name,
    public_key: publicKey,
    last_handshake_at,
    rx_bytes: 0,
    tx_bytes: 0,
    endpoint: null,
  };
}

const connected = () =>
  reports.drain().flatMap(([, { transitions }]) => transitions.map(({ record }) => record.peerId));

test.each(['127.0.0.1:7', '224.0.0.1:7', '[::1]:7', '[::ffff:7f00:1]:7', '[fe80::1]:7', 'nonsense'])(
  'the place %s is not kept, whoever is said to be there [9.8]',
  (endpoint) => {
    reports.observed(node('hub'), [{ ...claim('wg-n', 'direct key of spoke'), endpoint }]);
    const rows = reports.drain().flatMap(([, report]) => report.rows);
    expect(rows).toMatchObject([{ public_key: 'direct key of spoke', endpoint: null }]);
  },
);

describe('a claim of a handshake', () => {
  test('with somebody whom the machine has no tunnel to counts for nothing [9.9]', () => {
    const spoke = node('spoke');
    const counted = reports.observed(spoke, [
      claim('wg-n', 'key of victim'),
      claim('wg-n', 'direct key of victim'),
      claim('wg-n-2', 'key of hub'),
      claim('wg-n-1', 'key of victim'),
      claim('wg-n', 'key of spoke'),
    ]);
    expect(counted).toEqual([]);
    expect(reports.drain()).toEqual([]);
  });

  test('connects the one who claims it, and the other end by its own report only [9.9]', () => {
    heard.add('i-hub');
    expect(reports.observed(node('spoke'), [claim('wg-n-1', 'key of hub')])).toHaveLength(1);
    expect(connected()).toEqual(['spoke']);
    expect(reports.observed(node('hub'), [claim('wg-n', 'key of spoke')])).toHaveLength(1);
    expect(connected()).toEqual(['hub']);
  });

  test('of one that is not heard does not begin its connection, and keeps one that it has said itself [9.9]', () => {
    reports.observed(node('spoke'), [claim('wg-n-1', 'key of hub')]);
    expect(handshakes.of('key of hub')).toMatchObject({ connected: false, lastHandshakeMs: null });
    reports.observed(node('hub'), [claim('wg-n', 'key of spoke', 60_000)]);
    const before = handshakes.of('key of hub')?.lastHandshakeMs ?? 0;
    reports.observed(node('spoke'), [claim('wg-n-1', 'key of hub')]);
    expect(handshakes.of('key of hub')?.lastHandshakeMs).toBeGreaterThan(before);
  });

  test('waits until the document with that tunnel is applied, and is lost with the stream [9.9]', () => {
    const spoke = node('spoke', false);
    expect(reports.observed(spoke, [claim('wg-n-1', 'key of hub')])).toEqual([]);
    expect(connected()).toEqual([]);
    spoke.applied = { revision: 1, hash: formatDigest(spoke.digest) };
    expect(reports.applied(spoke)).toHaveLength(1);
    expect(connected()).toEqual(['spoke']);
    spoke.applied = null;
    reports.observed(spoke, [claim('wg-n-2', 'key of other hub')]);
    reports.left(spoke);
    spoke.applied = { revision: 1, hash: formatDigest(spoke.digest) };
    expect(reports.applied(spoke)).toEqual([]);
  });

  test('between hubs counts on their relays and leaf interfaces as they are in their documents [9.9]', () => {
    const hub = node('hub');
    expect(reports.observed(hub, [claim('wg-n-2', 'key of other hub')])).toHaveLength(1);
    expect(reports.observed(hub, [claim('wg-n', 'direct key of spoke')])).toHaveLength(1);
    expect(reports.observed(hub, [claim('wg-n', 'key of other hub')])).toEqual([]);
  });
});
