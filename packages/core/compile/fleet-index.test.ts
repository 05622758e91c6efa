// The fast compiler against the naive one, over random sequences of changes. Whom single changes reach:
// reach.test.ts.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endpointRefusal, prefixesFrom } from '../net/special-addresses.ts';
import { seededRandom } from '../testing/random.ts';
import type { EntryValue } from '../wire/document.ts';
import { canonicalJson, documentDigest, formatDigest } from './digest.ts';
import { type Change, FleetIndex } from './fleet-index.ts';
import type { Impact } from './impact.ts';
import { subjectOf } from './object-change.ts';
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

function patchesOf(impact: Impact, instanceId: string): Patch[] {
  const shared = impact.shared.filter(({ instances }) => instances.includes(instanceId));
  const single = impact.single.get(instanceId);
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
    const past = {
      networks: new Map(fleet.networks),
      peers: new Map(fleet.peers),
      items: new Map(fleet.items),
    };
    const change = fleet.change();
    const expectedDelta = deltaOf(change, { ...past, index });
    const { impact, deltas } = index.apply(change);
    expect(deltas).toEqual([expectedDelta]);
    for (const instanceId of instanceIds) {
      const before = held.get(instanceId) ?? new Map();
      const expected = fleet.expected(instanceId);
      const patches = patchesOf(impact, instanceId);
      const after = patched(before, patches);
      held.set(instanceId, after);
      expectSame(after, expected, JSON.stringify(change));
      expectCallable(after);
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

/** What the change does to the networks, by the model of before. */
function deltaOf(
  change: Change,
  past: Pick<RandomFleet, 'networks' | 'peers' | 'items'> & { readonly index: FleetIndex },
): object {
  switch (change.kind) {
    case 'network_created':
      return { kind: 'network_added', network: change.network };
    case 'network_updated':
      return { kind: 'network_changed', before: past.networks.get(change.network.id), after: change.network };
    case 'network_deleted':
      return { kind: 'network_removed', last: past.index.network(change.networkId) };
    case 'peer_changed':
    case 'item_changed': {
      const network = past.networks.get(change.networkId);
      const noun = change.kind === 'peer_changed' ? 'peer' : 'item';
      const before = (noun === 'peer' ? past.peers : past.items).get(subjectOf<{ id: string }>(change).id);
      if (before === undefined) return { kind: `${noun}_added`, network, after: change.after };
      if (change.after === null) return { kind: `${noun}_removed`, network, before };
      return { kind: `${noun}_changed`, network, before, after: change.after };
    }
  }
}

/** Endpoints with the prefix of their network that were found to be callable. */
const callable = new Set<string>();

/** Whatever a row says, no document names an endpoint that no other machine can call or that is in its network. */
function expectCallable(document: Document): void {
  const networks = [...document.values()].flatMap((value) => (value.kind === 'firewall' ? value : []));
  for (const value of document.values()) {
    if (value.kind !== 'peer' || value.endpoint === null) continue;
    const interfaces = new Map(networks.map((one) => [`wg-${one.handle}`, one.prefixes.slice(0, 1)]));
    const inside = interfaces.get(value.interface.replace(/-\d+$/, '')) ?? [];
    const checked = `${value.endpoint} ${inside.join()}`;
    if (callable.has(checked)) continue;
    callable.add(checked);
    expect(endpointRefusal(value.endpoint, prefixesFrom(inside)), value.endpoint).toBeNull();
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

/** More find more: 60 take 40 s of one processor. */
const runs = Number(process.env['RUNS'] ?? 25);

test('the fast compiler gives every node the document of the naive one, by patches alone, after any changes', () => {
  const changes = fc.integer({ min: 1, max: 100 });
  fc.assert(
    fc.property(fc.integer(), changes, (seed, count) => check(seededRandom(seed), count)),
    { numRuns: runs },
  );
}, 300_000);
