// What a node is given of changes to entries that it does not know: a part whose sums come out.
import { addDigests, documentDigest } from '@powernode/core/compile/digest';
import { applyPatch, CompiledEntry, diffEntries } from '@powernode/core/compile/patch';
import type { EntryTable, EntryValue } from '@powernode/core/wire/document';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ServedEntries } from './served-entries.ts';

const table: EntryTable = { needs: (kind) => (kind === 'watch' ? 4 : 3), newest: 4 };

const entry = ([number, isLater, via]: readonly [number, boolean, string]): EntryValue =>
  isLater
    ? { kind: 'watch', network_id: 'n', virtual_ip_id: `v${number}`, peer_id: 'p', address: via }
    : { kind: 'route', network_id: 'n', destination: `fd00::${number}/128`, via: [via] };

const state = fc
  .uniqueArray(fc.tuple(fc.nat(6), fc.boolean(), fc.constantFrom('a', 'b')), {
    selector: ([number, isLater]) => `${number} ${isLater}`,
  })
  .map((all) => all.map((one) => new CompiledEntry(entry(one))));

test('what is given leads from each document to the next, and holds nothing that is not known', () => {
  let parts = 0;
  fc.assert(
    fc.property(fc.array(state, { minLength: 2, maxLength: 12 }), ([first = [], ...rest]) => {
      const served = new ServedEntries({ capability: 3, table }, first);
      const given = (document: readonly CompiledEntry[]) =>
        document.filter((one) => served.knows(one)).map(({ value }) => value);
      let before = first;
      let document = new Map(given(first).map((value) => [new CompiledEntry(value).key, value]));
      let digest = documentDigest(given(first));
      for (const after of rest) {
        const whole = diffEntries(before, after);
        const part = served.take(whole);
        if (part !== whole) parts++;
        expect([...part.set.values()].every((one) => served.knows(one))).toBe(true);
        document = applyPatch(document, {
          set: Array.from(part.set.values(), ({ value }) => value),
          remove: part.remove,
        });
        digest = addDigests(digest, part.digest);
        expect([...document.values()].sort(byText)).toEqual(given(after).sort(byText));
        expect(digest).toBe(documentDigest(given(after)));
        expect(addDigests(digest, served.withheldDigest)).toBe(
          documentDigest(after.map(({ value }) => value)),
        );
        before = after;
      }
    }),
  );
  expect(parts).toBeGreaterThan(50);
});

function byText(a: EntryValue, b: EntryValue): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
