// The fast compiler against the naive one, over random sequences of changes. Whom single changes reach:
// reach.test.ts.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EntryValue } from '../wire/document.ts';
import { canonicalJson, documentDigest, formatDigest } from './digest.ts';
import type { Effect } from './effect.ts';
import { type Change, FleetIndex } from './fleet-index.ts';
import { applyPatch, type Patch } from './patch.ts';
import { RandomFleet } from './random-fleet.fixture.ts';

const instanceIds = ['i0', 'i1', 'i2', 'i3', 'i4', 'i5', 'i6', 'i7', 'i8'];

type Document = ReadonlyMap<string, EntryValue>;
const sorted = (map: Document) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

/** Text first: to look into thousands of equal documents would take most of the time. */
function expectSame(document: Document, expected: Document, why: string): void {
  if (canonicalJson(sorted(document)) !== canonicalJson(sorted(expected))) {
    expect(sorted(document), why).toEqual(sorted(expected));
  }
}

function patchesOf(effect: Effect, instanceId: string): Patch[] {
  const shared = effect.shared.filter(({ instances }) => instances.includes(instanceId));
  const single = effect.single.get(instanceId);
  return [...shared.map(({ patch }) => patch), ...(single === undefined ? [] : [single])];
}

const keysOf = (patch: Patch) => [...patch.set.keys(), ...patch.remove];

/** What a node holds after the patches that it was sent. */
function patched(held: Document, patches: readonly Patch[]): Document {
  return patches.reduce<Document>((document, patch) => {
    const set = Array.from(patch.set.values(), (entry) => entry.value);
    return applyPatch(document, { set, remove: patch.remove });
  }, held);
}

function check(random: () => number, changes: number): void {
  const index = new FleetIndex();
  const fleet = new RandomFleet({ accountId: 'a', instanceIds, random });
  const held = new Map<string, Document>(instanceIds.map((id) => [id, new Map()]));
  for (let i = 0; i < changes; i++) {
    const change = fleet.change();
    const effect = index.apply(change);
    for (const instanceId of instanceIds) {
      const before = held.get(instanceId) ?? new Map();
      const expected = fleet.expected(instanceId);
      const patches = patchesOf(effect, instanceId);
      const after = patched(before, patches);
      held.set(instanceId, after);
      expectSame(after, expected, JSON.stringify(change));
      const compiled = index.compile(instanceId);
      expectSame(new Map(compiled.map((entry) => [entry.key, entry.value])), expected, 'compiled at once');
      if (compiled.length !== expected.size)
        expect(compiled.map(({ key }) => key)).toEqual([...expected.keys()]);
      const digest = formatDigest(documentDigest(expected.values()));
      expect(index.digest(instanceId)).toBe(digest);
      expectDisjointAndNeeded({ patches, before, after, change });
    }
  }
}

/** No key is in two patches of one change, and nothing is sent that was there already. */
function expectDisjointAndNeeded(sent: {
  readonly patches: readonly Patch[];
  readonly before: Document;
  readonly after: Document;
  readonly change: Change;
}): void {
  const keys = sent.patches.flatMap(keysOf);
  if (new Set(keys).size < keys.length)
    expect.fail(`twice: ${keys.join(' ')} by ${JSON.stringify(sent.change)}`);
  for (const key of keys) {
    const was = sent.before.get(key);
    const is = sent.after.get(key);
    if (canonicalJson(was ?? null) !== canonicalJson(is ?? null)) continue;
    expect.fail(`${key} is sent for nothing by ${JSON.stringify(sent.change)}`);
  }
}

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('the fast compiler gives every node the document of the naive one, by patches alone, after any changes', () => {
  const changes = fc.integer({ min: 1, max: 100 });
  fc.assert(
    fc.property(fc.integer(), changes, (seed, count) => check(seeded(seed), count)),
    { numRuns: 60 },
  );
}, 60_000);
