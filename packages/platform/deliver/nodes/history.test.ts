// A base is proven by its hash, and what is kept of a node is bounded.
import { addDigests } from '@powernode/core/compile/digest';
import { CompiledEntry, diffEntries, type Patch } from '@powernode/core/compile/patch';
import { nodeHistoryWeightMax } from '@powernode/core/limits/node-stream';
import { describe, expect, test } from 'vitest';
import { History, ownStep, sharedStep } from './history.ts';

const entry = (mtu: number) =>
  new CompiledEntry({ kind: 'route', network_id: 'n', destination: 'fd00::/64', via: [`wg-a-${mtu}`] });

/** A document that goes through these states, one entry each time. */
function walk(states: readonly number[]): { patches: Patch[]; digests: bigint[] } {
  const digests = [0n];
  const patches: Patch[] = [];
  let before: CompiledEntry[] = [];
  for (const state of states) {
    const after = [entry(state)];
    const patch = diffEntries(before, after);
    patches.push(patch);
    digests.push(addDigests(digests.at(-1) ?? 0n, patch.digest));
    before = after;
  }
  return { patches, digests };
}

describe('the history of a node', () => {
  test('leads from any document that it passed to the newest', () => {
    const { patches, digests } = walk([1, 2, 3, 4]);
    const history = new History();
    for (const patch of patches) history.push(sharedStep(patch));
    const present = digests.at(-1) ?? 0n;
    for (const held of digests.slice(0, -1)) {
      const patch = history.since({ held, present });
      expect(Array.from(patch?.set.values() ?? [], ({ value }) => value)).toEqual([entry(4).value]);
      expect(addDigests(held, patch?.digest ?? 0n)).toBe(present);
    }
  });

  test('knows nothing of a document that it did not pass', () => {
    const { patches, digests } = walk([1, 2, 3]);
    const history = new History();
    for (const patch of patches) history.push(sharedStep(patch));
    expect(history.since({ held: 12345n, present: digests.at(-1) ?? 0n })).toBeNull();
    expect(new History().since({ held: 0n, present: 1n })).toBeNull();
  });

  test('forgets the oldest when it grows too heavy, and own patches weigh more', () => {
    const states = Array.from({ length: 3 * nodeHistoryWeightMax }, (_, i) => i + 1);
    const { patches, digests } = walk(states);
    const present = digests.at(-1) ?? 0n;
    const reach = (make: typeof sharedStep) => {
      const history = new History();
      for (const patch of patches) history.push(make(patch));
      return digests.filter((held) => held !== present && history.since({ held, present }) !== null).length;
    };
    expect(reach(sharedStep)).toBe(nodeHistoryWeightMax);
    expect(reach(ownStep)).toBe(Math.floor(nodeHistoryWeightMax / ownStep(patches[1] as Patch).weight));
  });
});
