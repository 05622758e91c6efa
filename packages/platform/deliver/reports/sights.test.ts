// A peer is connected from its first handshake that is recent, silent from 5 minutes after its last; each once.
import { withContents } from '@powernode/core/compile/deltas';
import { type Change, FleetIndex } from '@powernode/core/compile/fleet-index';
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import { networkModel, peerModel } from '@powernode/core/compile/model.fixture';
import { silentAfterMs } from '@powernode/core/limits';
import { beforeEach, describe, expect, test } from 'vitest';
import { PeerSights, type Sight } from './sights.ts';

const network: NetworkModel = networkModel();
const peer: PeerModel = peerModel({ id: 'p', instanceId: 'i', hostAddress: 'fd00::1', publicKey: 'key 1' });
const now = Date.parse('2026-11-21T12:00:00Z');

let fleet: FleetIndex;
let sights: PeerSights;

function take(change: Change): void {
  for (const delta of withContents(fleet.apply(change).deltas)) sights.onDelta(delta);
}

const ofPeer = { kind: 'peer_changed', networkId: 'n' } as const;

function sightOf(publicKey: string): Sight {
  const sight = sights.of(publicKey);
  if (sight === undefined) throw new Error(`no sight of ${publicKey}`);
  return sight;
}

beforeEach(() => {
  fleet = new FleetIndex();
  fleet.load(network, []);
  sights = new PeerSights();
  take({ ...ofPeer, before: null, after: peer });
});

describe('a peer', () => {
  test('is connected once by a recent handshake, and not by an old one', () => {
    const sight = sightOf('key 1');
    expect(sights.seen(sight, now - silentAfterMs - 1, now)).toBeNull();
    expect(sights.seen(sight, now - 1000, now)).toMatchObject({ to: 'connected' });
    expect(sights.seen(sight, now, now)).toBeNull();
    expect(sight.lastHandshakeMs).toBe(now);
  });

  test('is silent once after five minutes without one', () => {
    const sight = sightOf('key 1');
    sights.seen(sight, now, now);
    expect(sights.overdue(now + silentAfterMs)).toEqual([]);
    expect(sights.overdue(now + silentAfterMs + 1)).toEqual([sight]);
    expect(sights.silenced(sight)).toMatchObject({ to: 'silent', lastHandshakeMs: now });
    expect(sights.silenced(sight)).toBeNull();
    expect(sights.overdue(now + 10 * silentAfterMs)).toEqual([]);
    expect(sights.seen(sight, now + silentAfterMs, now + silentAfterMs)).toMatchObject({ to: 'connected' });
  });

  test('stays what it is when its key is rotated, and is forgotten when it is detached', () => {
    sights.seen(sightOf('key 1'), now, now);
    const rotated = { ...peer, publicKey: 'key 2' };
    take({ ...ofPeer, before: peer, after: rotated });
    expect(sights.of('key 1')).toBeUndefined();
    expect(sightOf('key 2')).toMatchObject({ connected: true, lastHandshakeMs: now, peerId: 'p' });
    take({ ...ofPeer, before: rotated, after: null });
    expect(sights.of('key 2')).toBeUndefined();
    expect(sights.overdue(now + 10 * silentAfterMs)).toEqual([]);
  });

  test('is forgotten with its network', () => {
    take({ kind: 'network_deleted', networkId: 'n' });
    expect(sights.of('key 1')).toBeUndefined();
  });

  test('is after a start what its last handshake makes it, and nobody is told', () => {
    sights.load('a', { ...peer, publicKey: 'old' }, now - silentAfterMs - 1, now);
    sights.load('a', { ...peer, publicKey: 'new' }, now - 1000, now);
    expect(sightOf('old').connected).toBe(false);
    expect(sightOf('new').connected).toBe(true);
    expect(sights.seen(sightOf('new'), now, now)).toBeNull();
  });
});
