// A document that followed from another by a change is the same as one made anew, whatever was asked of it in between.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type EntryValue, entryKey } from './document.ts';
import { nodeDocumentOf } from './node-document.fixture.ts';
import { type EntryKind, NodeDocument, readEntryKey } from './node-document.ts';

const networks = ['network-1', 'network-2'];
const interfaces = ['wg-a', 'wg-b'];

const network = fc.constantFrom(...networks);
const number = fc.integer({ min: 0, max: 4 });

const peer = fc.record({ on: fc.constantFrom(...interfaces), number, keepalive: number }).map(
  ({ on, number, keepalive }): EntryValue => ({
    kind: 'peer',
    interface: on,
    peer_id: `peer-${number}`,
    // Public keys may hold slashes.
    public_key: `key/${number}`,
    endpoint: null,
    allowed_ips: [],
    keepalive,
  }),
);
const route = fc.record({ network, number }).map(
  ({ network, number }): EntryValue => ({
    kind: 'route',
    network_id: network,
    destination: `fd00::${number}/128`,
    via: ['wg-a'],
  }),
);
const member = fc.record({ network, number, group: fc.constantFrom('web', 'db') }).map(
  ({ network, number, group }): EntryValue => ({
    kind: 'member',
    network_id: network,
    group,
    addresses: [`fd00::${number}`],
  }),
);
const forwarding = network.map(
  (id): EntryValue => ({ kind: 'forwarding', network_id: id, handle: id.slice(-1) }),
);
const entry = fc.oneof(peer, route, member, forwarding);
const kinds: readonly EntryKind[] = ['peer', 'route', 'member', 'forwarding', 'rule'];

interface Change {
  readonly set: readonly EntryValue[];
  readonly remove: readonly EntryValue[];
  /** What is asked of the document after it. */
  readonly asked: readonly EntryKind[];
}
const change: fc.Arbitrary<Change> = fc.record({
  set: fc.array(entry, { maxLength: 4 }),
  remove: fc.array(entry, { maxLength: 4 }),
  asked: fc.subarray([...kinds]),
});

function everythingOf(document: NodeDocument): unknown {
  const sortedByName = (entries: ReadonlyMap<string, EntryValue>) =>
    [...entries].sort(([a], [b]) => a.localeCompare(b));
  const sorted = (entries: readonly EntryValue[]) => entries.map((one) => JSON.stringify(one)).sort();
  return {
    kinds: kinds.map((kind) => sortedByName(document.all(kind))),
    networks: networks.flatMap((id) => [
      sorted(document.inNetwork('route', id)),
      sorted(document.inNetwork('member', id)),
      sorted(document.inNetwork('forwarding', id)),
    ]),
    interfaces: interfaces.map((name) => sorted(document.onInterface('peer', name))),
  };
}

test('a changed document is the same as one made of its entries', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), fc.array(change, { maxLength: 8 }), (first, changes) => {
      let document = nodeDocumentOf(first);
      const before: [NodeDocument, unknown][] = [];
      for (const { set, remove, asked } of changes) {
        for (const kind of asked) document.all(kind);
        if (asked.includes('rule')) before.push([document, everythingOf(document)]);
        const entries = new Map(document.entries);
        for (const one of remove) entries.delete(entryKey(one));
        for (const one of set) entries.set(entryKey(one), one);
        document = document.next(entries, new Set([...remove, ...set].map(entryKey)));
      }
      expect(everythingOf(document)).toEqual(everythingOf(NodeDocument.of(document.entries)));
      for (const [old, said] of before) expect(everythingOf(old)).toEqual(said);
    }),
  );
});

test('an entry is found by its kind and its name alone', () => {
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1 }), (entries) => {
      const document = nodeDocumentOf(entries);
      for (const [key, value] of document.entries) {
        const { kind, name } = readEntryKey(key);
        expect(kind).toBe(value.kind);
        expect(document.get(value.kind, name)).toBe(value);
        expect(document.all(value.kind).get(name)).toBe(value);
      }
      expect(document.get('rule', 'none')).toBeUndefined();
    }),
  );
});

test('kinds that a change does not touch are the same objects as before', () => {
  const route: EntryValue = { kind: 'route', network_id: 'n', destination: 'fd00::/64', via: ['wg-a'] };
  const forwarding: EntryValue = { kind: 'forwarding', network_id: 'n', handle: 'a' };
  const before = nodeDocumentOf([route, forwarding]);
  const routes = before.all('route');
  const after = before.next(new Map([[entryKey(route), route]]), new Set([entryKey(forwarding)]));
  expect(after.all('route')).toBe(routes);
  expect(after.all('forwarding').size).toBe(0);
});
