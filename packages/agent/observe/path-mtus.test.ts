// What follows from the largest packets that pass paths: MTUs, and what is said.
import { entryKey } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { beforeEach, expect, test } from 'vitest';
import { networkId, spokeDocument } from '../fixtures/documents.ts';
import { PathIndex } from '../plan/path-index.ts';
import { PathMtus } from './path-mtus.ts';
import type { FoundProblem } from './problems.ts';

const key = (letter: string) => `${letter.repeat(43)}=`;
const hubs = [1, 2].map((slot) => ({
  number: slot,
  slot,
  publicKey: key(`${slot}`),
  endpoint: '203.0.113.1:1',
}));
const tunnel = (slot: number) => `peer/wg-test-${slot}/${key(`${slot}`)}`;
const small = { isWhole: false, isBelowFloor: false, bytes: 1340 };

let index: PathIndex;
let said: readonly FoundProblem[];
let changed: string[];
let mtus: PathMtus;

beforeEach(() => {
  index = new PathIndex();
  index.update(nodeDocumentOf(spokeDocument(5, key('S'), hubs)), 'all');
  said = [];
  changed = [];
  mtus = new PathMtus({
    index: () => index,
    log: { warn: () => undefined },
    problems: { set: (_source, found) => (said = found) },
    changed: (names) => changed.push(...names),
  });
});

test('the interface of a path that carries less gets that MTU, and it is said with what to do [9.30]', () => {
  mtus.found(tunnel(1), small);
  expect([...mtus.caps]).toEqual([['wg-test-1', 1340]]);
  expect(changed).toEqual(['wg-test-1']);
  expect(said).toEqual([
    {
      code: 'path_mtu_lowered',
      detail:
        "Packets of more than 1340 bytes get lost on the path of wg-test-1, whose MTU is 1420, and nothing on it says so (ICMP is filtered). The agent uses 1340 for wg-test-1; set the network's mtu to 1340 if other instances lose large packets too.",
      networkId,
      peerId: 'peer-1',
      interface: 'wg-test-1',
    },
  ]);
});

test('a path that died, or was measured again much later, is tried with the whole once more [9.30]', () => {
  for (const again of [
    () => mtus.forget(tunnel(1)),
    () => mtus.found(tunnel(1), { ...small, isWhole: true }),
  ]) {
    mtus.found(tunnel(1), small);
    changed = [];
    again();
    expect([...mtus.caps]).toEqual([]);
    expect(changed).toEqual(['wg-test-1']);
    expect(said).toEqual([]);
  }
});

test('a path that carries less than IPv6 needs is an error, and a tunnel that is gone is forgotten [9.30]', () => {
  mtus.found(tunnel(2), { isWhole: false, isBelowFloor: true, bytes: 1280 });
  expect(said).toMatchObject([{ code: 'path_mtu_too_small', interface: 'wg-test-2' }]);
  const left = spokeDocument(5, key('S'), hubs.slice(0, 1));
  const gone = new Set([tunnel(2), ...left.map(entryKey)]);
  index.update(nodeDocumentOf(left), gone);
  mtus.settle();
  expect(said).toEqual([]);
  expect([...mtus.caps]).toEqual([]);
});

test('a path that carries everything changes nothing [9.30]', () => {
  mtus.found(tunnel(1), { isWhole: true, isBelowFloor: false, bytes: 1420 });
  expect(changed).toEqual([]);
  expect(said).toEqual([]);
});
