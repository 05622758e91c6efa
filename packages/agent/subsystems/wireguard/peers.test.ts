// When the endpoint of a peer is written, and when the kernel is left to what it has learnt.
import type { PeerEntry } from '@powernode/core/wire/document';
import { describe, expect, test } from 'vitest';
import type { ObservedPeer } from '../observed.ts';
import type { Problem } from '../problem.ts';
import { planPeers } from './peers.ts';

const publicKey = `${'K'.repeat(43)}=`;
const nowMs = 1_800_000_000_000;
const entry: PeerEntry = {
  kind: 'peer',
  interface: 'wg-a',
  peer_id: 'p',
  public_key: publicKey,
  endpoint: '203.0.113.5:51820',
  allowed_ips: ['fd00::1/128', '::/0'],
  keepalive: 25,
};
const inKernel: ObservedPeer = {
  publicKey,
  endpoint: '203.0.113.5:51820',
  allowedIps: ['::/0', 'fd00::1/128'],
  lastHandshakeS: nowMs / 1000 - 60,
  rxBytes: 1,
  txBytes: 1,
  keepalive: 25,
  hasPresharedKey: false,
};

function plan(wanted: PeerEntry, seen: ObservedPeer, written?: string) {
  const problems: Problem[] = [];
  const steps = planPeers(
    {
      wanted: new Map([[publicKey, wanted]]),
      observed: new Map([[publicKey, seen]]),
      keys: null,
      renew: false,
    },
    {
      name: 'wg-a',
      isSilenced: () => false,
      writtenEndpoints: new Map(written === undefined ? [] : [[`peer/wg-a/${publicKey}`, written]]),
      nowMs,
      problems,
    },
  );
  const step = steps[0];
  return { problems, count: steps.length, write: step?.kind === 'set_peer' ? step.peer : null };
}

describe('the endpoint of a peer', () => {
  const moved: ObservedPeer = { ...inKernel, endpoint: '198.51.100.9:7000' };

  test('that is as wanted is not written, whatever the order of its prefixes', () => {
    expect(plan(entry, inKernel).count).toBe(0);
  });

  test('that the kernel has learnt is left alone while handshakes come', () => {
    expect(plan(entry, moved, entry.endpoint ?? '').count).toBe(0);
    expect(plan(entry, moved).count).toBe(0);
  });

  test('is written when the wish changed', () => {
    expect(plan(entry, moved, '192.0.2.1:1').write).toMatchObject({ endpoint: entry.endpoint, how: 'place' });
  });

  test('is written when nobody answers at the place that was learnt', () => {
    const silent = { ...moved, lastHandshakeS: nowMs / 1000 - 196 };
    expect(plan(entry, silent, entry.endpoint ?? '').write).toMatchObject({
      endpoint: entry.endpoint,
      how: 'place',
    });
    expect(plan(entry, { ...moved, lastHandshakeS: 0 }).write?.endpoint).toBe(entry.endpoint);
  });

  test('is not written because something else of the peer differs', () => {
    const write = plan(entry, { ...moved, keepalive: 0 }, entry.endpoint ?? '').write;
    expect(write).toMatchObject({ endpoint: null, keepalive: 25, how: 'change' });
  });

  test('that is null is never written', () => {
    expect(plan({ ...entry, endpoint: null }, moved, '192.0.2.1:1').count).toBe(0);
  });

  test('that is not address:port is a problem which quotes it, and nothing is written', () => {
    const { problems, count } = plan({ ...entry, endpoint: 'hub.example:51820' }, inKernel);
    expect(count).toBe(0);
    expect(problems[0]?.detail).toContain('"hub.example:51820"');
  });
});

describe('a peer', () => {
  test('that somebody gave a preshared key loses it', () => {
    expect(plan(entry, { ...inKernel, hasPresharedKey: true }).write?.clearPresharedKey).toBe(true);
  });

  test('whose prefixes are spelt differently is the same', () => {
    const spelt = { ...entry, allowed_ips: ['::/0', 'fd00:0::1/128'] };
    expect(plan(spelt, inKernel).count).toBe(0);
  });

  test('takes over a prefix before the one that had it is taken out', () => {
    const other = `${'O'.repeat(43)}=`;
    const steps = planPeers(
      {
        wanted: new Map([[publicKey, entry]]),
        observed: new Map([[other, { ...inKernel, publicKey: other }]]),
        keys: null,
        renew: false,
      },
      { name: 'wg-a', isSilenced: () => false, writtenEndpoints: new Map(), nowMs, problems: [] },
    );
    expect(steps.map((step) => step.kind)).toEqual(['set_peer', 'remove_peer']);
  });
});
