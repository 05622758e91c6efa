// A hub whose agent is killed again and again, at any moment, while its document changes without pause: in the end
// it is at the newest revision, the kernel equals it, and nothing of the killed ones is left over. Needs root.
import { setTimeout as delay } from 'node:timers/promises';
import type { PeerEntry } from '@powernode/core/wire/document';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet, Flow, pings, until } from './fixtures/agents.ts';
import { addressOf, leaf, peerOf } from './fixtures/documents.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const kills = 15;

describe.skipIf(!isRoot)('an agent that is killed at any moment', () => {
  const fleet = new Fleet();

  beforeAll(async () => {
    await fleet.start(['hub1', 'edge1', 'edge2']);
    await fleet.connect('hub1', ['edge1', 'edge2']);
    await until(() => pings(fleet.member('edge1').host, addressOf(3)));
  });

  afterAll(() => fleet.end());

  test('ends at the newest revision, with the kernel equal to it, and no packet lost on the way', async () => {
    const hub = fleet.member('hub1').host;
    const flow = new Flow(fleet.member('edge1').host, addressOf(3));
    const spare = fleet.member('hub1').keys[1] ?? '';
    const wanted = new Map<string, PeerEntry>();
    let revision = 1;
    let isOver = false;
    const changing = (async () => {
      for (let i = 0; !isOver; i++) {
        const number = 100 + (i % 40);
        const peer = peerOf({ interface: 'wg-test', number, publicKey: keyNumbered(number) });
        // Peers come and go, and so does a whole interface.
        const odd = { ...leaf(9, spare), name: 'wg-odd', network_id: 'odd', addresses: ['fd00:77::1/128'] };
        if (wanted.delete(peer.public_key)) {
          await fleet.platform.put('hub1', [], [`peer/wg-test/${peer.public_key}`]);
        } else {
          wanted.set(peer.public_key, peer);
          await fleet.platform.put('hub1', [peer]);
        }
        if (i % 7 === 0) await fleet.platform.put('hub1', [odd]);
        if (i % 7 === 3) await fleet.platform.put('hub1', [], ['interface/wg-odd']);
        revision += i % 7 === 0 || i % 7 === 3 ? 2 : 1;
        await delay(20);
      }
      await fleet.platform.put('hub1', [], ['interface/wg-odd']);
      revision++;
    })();
    for (let i = 0; i < kills; i++) {
      // From before its first look to well after its first document.
      await delay(Math.random() * 1500);
      await fleet.kill('hub1');
      fleet.run(hub);
    }
    isOver = true;
    await changing;
    await fleet.platform.heard(({ hostname, message }) => {
      if (hostname !== 'hub1') return false;
      const at = message.kind === 'hello' ? message.applied : message.kind === 'applied' ? message : null;
      return at?.revision === revision;
    });
    const inKernel = (await hub.must('wg', 'show', 'wg-test', 'peers')).trim().split('\n').sort();
    const spokes = ['edge1', 'edge2'].map((name) => fleet.key(name));
    expect(inKernel).toEqual([...spokes, ...wanted.keys()].sort());
    expect((await hub.must('pgrep', 'wireguard-go')).trim().split('\n')).toHaveLength(1);
    expect((await hub.run('ip', 'link', 'show', 'wg-odd')).code).not.toBe(0);
    expect((await flow.end()).lost).toBe(0);
  });
});

function keyNumbered(number: number): string {
  return Buffer.alloc(32, number).toString('base64');
}
