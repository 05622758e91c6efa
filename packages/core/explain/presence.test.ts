// What an explanation and the matrix make of machines that are not reached now.
import { describe, expect, test } from 'vitest';
import { NetworkIndex } from '../compile/network-index.ts';
import type { UnreachableCode } from '../presence/evaluate-peer.ts';
import { seededRandom } from '../testing/random.ts';
import type { QuestionEnd } from './ends.ts';
import { matrixNodes, matrixRows } from './matrix.ts';
import { NetworkSnapshot, type ObservedPresence } from './network-snapshot.ts';
import { Dice, RandomNetwork, uuid } from './random-network.fixture.ts';
import { explain } from './reachability.ts';

const nameOf = ({ type, id }: { readonly type: string; readonly id: string }) => `${type}:${id.slice(-2)}`;
const peer = (n: number): QuestionEnd => ({ kind: 'peer', id: uuid(2, n) });
const icmp = { protocol: 'icmp6', port: null } as const;

/** Hubs 1 and 2, spokes 3 and 4, no rules. `not`: who is not reached, and why. */
function snapshotOf(
  not: Readonly<Record<number, UnreachableCode>>,
  reachable: boolean | null = false,
): NetworkSnapshot {
  const network = new RandomNetwork(new Dice(seededRandom(3)), { peers: 4, devices: 0, rules: 0 });
  const model = { ...network.network, firewallDefaultPolicy: 'accept' as const };
  const seen = new Map<string, ObservedPresence>(
    Object.entries(not).map(([n, code]) => [
      uuid(2, Number(n)),
      { reachable, because: { code, detail: `peer ${n} is ${code}` } },
    ]),
  );
  return new NetworkSnapshot(new NetworkIndex(model, network.peers(), []), {
    presenceOf: (id) => seen.get(id) ?? { reachable: true, because: null },
  });
}

function ask(snapshot: NetworkSnapshot, source: QuestionEnd, destination: QuestionEnd) {
  const via1 = (peerId: string, to: string) =>
    peerId !== uuid(2, 1) && peerId !== uuid(2, 2) && to === 'fd00:5::/64' ? 'wg-net-1' : null;
  const { verdict, because } = explain({ snapshot, nameOf, inUse: via1 }, { source, destination, ...icmp });
  return { verdict, text: because.map(({ step, detail }) => `${step}: ${detail}`).join('\n') };
}

describe('a packet that rules and routes allow', () => {
  test.each<[string, number, UnreachableCode]>([
    ['to a machine that is gone', 4, 'offline'],
    ['to a machine that answers the platform and passes nothing', 4, 'not_heard'],
    ['to a machine without UDP', 4, 'udp_blocked'],
    ['from a machine that is gone', 3, 'offline'],
    ['by a hub that is gone', 1, 'offline'],
    ['by a hub that forwards nothing', 1, 'forwards_nothing'],
  ])('%s does not arrive, and a step says why [9.14] [9.28]', (_, n, code) => {
    const { verdict, text } = ask(snapshotOf({ [n]: code }), peer(3), peer(4));
    expect(verdict).toBe('no_route');
    expect(text).toContain(`presence: peer ${n} is ${code}`);
    expect(text).toContain(`verdict: Rules and routes allow it, but peer:0${n} is unreachable now`);
  });

  test('arrives when all on its way are reached, whoever else is not [9.14]', () => {
    expect(ask(snapshotOf({ 2: 'offline' }), peer(3), peer(4)).verdict).toBe('allowed');
  });

  test('to the hub itself arrives when that only forwards nothing [9.14]', () => {
    expect(ask(snapshotOf({ 1: 'forwards_nothing' }), peer(3), peer(1)).verdict).toBe('allowed');
  });

  test('to a machine of which the two ends say different things is allowed, and a step says so [9.14]', () => {
    const { verdict, text } = ask(snapshotOf({ 4: 'contradiction' }, null), peer(3), peer(4));
    expect(verdict).toBe('allowed');
    expect(text).toContain('presence: peer 4 is contradiction');
  });

  test('within one machine needs nobody to reach it [9.14]', () => {
    expect(ask(snapshotOf({ 3: 'udp_blocked' }), peer(3), peer(3)).verdict).toBe('allowed');
  });
});

test('the matrix has a letter of its own for what is allowed and does not arrive now [9.14]', () => {
  const snapshot = snapshotOf({ 4: 'offline' });
  const { nodes } = matrixNodes(snapshot);
  const rows = [...matrixRows(snapshot, nodes, icmp)].flatMap((row) => (row === null ? [] : [row]));
  const at = (id: string) => nodes.findIndex((node) => node.id === id);
  const letter = (from: number, to: number) =>
    rows.find(({ id }) => id === uuid(2, from))?.verdicts[at(uuid(2, to))];
  expect([letter(3, 4), letter(4, 3), letter(1, 4), letter(3, 1)]).toEqual(['u', 'u', 'u', 'a']);
});
