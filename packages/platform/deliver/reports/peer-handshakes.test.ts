// A peer is connected from its first handshake that is recent, silent from 5 minutes after its last; each once.
import { withContents } from '@powernode/core/compile/deltas';
import { type Change, FleetIndex } from '@powernode/core/compile/fleet-index';
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import { networkModel, peerModel } from '@powernode/core/compile/model.fixture';
import { silentAfterMs } from '@powernode/core/limits/overlay';
import { beforeEach, describe, expect, test } from 'vitest';
import { type HandshakeRecord, PeerHandshakes } from './peer-handshakes.ts';

const network: NetworkModel = networkModel();
const peer: PeerModel = peerModel({ id: 'p', instanceId: 'i', hostAddress: 'fd00::1', publicKey: 'key 1' });
const now = Date.parse('2026-11-21T12:00:00Z');

let fleet: FleetIndex;
let handshakes: PeerHandshakes;

function apply(change: Change): void {
  for (const delta of withContents(fleet.apply(change).deltas)) handshakes.onDelta(delta);
}

const ofPeer = { kind: 'peer_changed', networkId: 'n' } as const;

function recordOf(publicKey: string): HandshakeRecord {
  const record = handshakes.of(publicKey);
  if (record === undefined) throw new Error(`no record of ${publicKey}`);
  return record;
}

beforeEach(() => {
  fleet = new FleetIndex();
  fleet.load(network, []);
  handshakes = new PeerHandshakes();
  apply({ ...ofPeer, before: null, after: peer });
});

describe('a peer', () => {
  test('is connected once by a recent handshake, and not by an old one', () => {
    const record = recordOf('key 1');
    expect(handshakes.seen(record, now - silentAfterMs - 1, now)).toBeNull();
    expect(handshakes.seen(record, now - 1000, now)).toMatchObject({ to: 'connected' });
    expect(handshakes.seen(record, now, now)).toBeNull();
    expect(record.lastHandshakeMs).toBe(now);
  });

  test('is silent once after five minutes without one', () => {
    const record = recordOf('key 1');
    handshakes.seen(record, now, now);
    expect(handshakes.overdue(now + silentAfterMs)).toEqual([]);
    expect(handshakes.overdue(now + silentAfterMs + 1)).toEqual([record]);
    expect(handshakes.silenced(record)).toMatchObject({ to: 'silent', lastHandshakeMs: now });
    expect(handshakes.silenced(record)).toBeNull();
    expect(handshakes.overdue(now + 10 * silentAfterMs)).toEqual([]);
    expect(handshakes.seen(record, now + silentAfterMs, now + silentAfterMs)).toMatchObject({
      to: 'connected',
    });
  });

  test('stays what it is when its key is rotated, and is forgotten when it is detached', () => {
    handshakes.seen(recordOf('key 1'), now, now);
    const rotated = { ...peer, publicKey: 'key 2' };
    apply({ ...ofPeer, before: peer, after: rotated });
    expect(handshakes.of('key 1')).toBeUndefined();
    expect(recordOf('key 2')).toMatchObject({ connected: true, lastHandshakeMs: now, peerId: 'p' });
    apply({ ...ofPeer, before: rotated, after: null });
    expect(handshakes.of('key 2')).toBeUndefined();
    expect(handshakes.overdue(now + 10 * silentAfterMs)).toEqual([]);
  });

  test('is forgotten with its network', () => {
    apply({ kind: 'network_deleted', networkId: 'n' });
    expect(handshakes.of('key 1')).toBeUndefined();
  });

  test('is after a start what its last handshake makes it, without an event', () => {
    handshakes.load('a', { ...peer, publicKey: 'old' }, now - silentAfterMs - 1, now);
    handshakes.load('a', { ...peer, publicKey: 'new' }, now - 1000, now);
    expect(recordOf('old').connected).toBe(false);
    expect(recordOf('new').connected).toBe(true);
    expect(handshakes.seen(recordOf('new'), now, now)).toBeNull();
  });
});
