// The document on disk: what survives restarts, torn writes and a platform that miscounts.
import { appendFileSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { applyPatch } from '@powernode/core/compile/patch';
import { type EntryValue, entryKey } from '@powernode/core/wire/document';
import type { DeltaMessage, DocumentMessage } from '@powernode/core/wire/node-stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { documentOf, hashOf, hubDocument, peerOf } from '../fixtures/documents.ts';
import { freshFolder } from '../fixtures/folder.ts';
import { CurrentDocument } from './current-document.ts';
import type { StateFolder } from './folder.ts';

const hub = hubDocument(1, `${'H'.repeat(43)}=`);
const peer = (number: number): EntryValue =>
  peerOf({ interface: 'wg-test', number, publicKey: `${String(number).padStart(43, 'P')}=` });

function whole(revision: number, values: readonly EntryValue[]): DocumentMessage {
  return { kind: 'document', revision, hash: hashOf(documentOf(values)), entries: [...values] };
}

function delta(
  from: readonly EntryValue[],
  at: { base: number; revision: number; set?: EntryValue[]; remove?: string[] },
): DeltaMessage {
  const { base, revision, set = [], remove = [] } = at;
  const hash = hashOf(applyPatch(documentOf(from), { set, remove }));
  return { kind: 'delta', base, revision, hash, set, remove };
}

describe('a document', () => {
  test('is held after a restart, with its deltas', () => {
    const folder = freshFolder();
    const held = new CurrentDocument(folder);
    expect(held.current).toBeNull();
    held.acceptDocument(whole(4, hub));
    const accepted = held.applyDelta(
      delta(hub, { base: 4, revision: 6, set: [peer(2)], remove: [entryKey(peer(9))] }),
    );
    expect(accepted).toMatchObject({
      kind: 'changed',
      keys: new Set([entryKey(peer(9)), entryKey(peer(2))]),
    });
    held.applyDelta(delta([...hub, peer(2)], { base: 6, revision: 7, remove: [entryKey(peer(2))] }));
    const again = new CurrentDocument(folder).current;
    expect(again?.revision).toBe(7);
    expect(again).toEqual(held.current);
  });

  test('is in files that only its owner can read', () => {
    const folder = freshFolder();
    const held = new CurrentDocument(folder);
    held.acceptDocument(whole(1, hub));
    held.applyDelta(delta(hub, { base: 1, revision: 2, set: [peer(2)] }));
    held.noteApplied({ revision: 2, hash: held.current?.hash ?? '' });
    for (const name of ['document.json', 'document.journal', 'applied.json']) {
      expect(statSync(folder.at(name)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(folder.path).mode & 0o777).toBe(0o700);
  });

  test('without its hash is refused, and the one before stays', () => {
    const held = new CurrentDocument(freshFolder());
    held.acceptDocument(whole(1, hub));
    const before = held.current;
    expect(held.acceptDocument({ ...whole(2, [...hub, peer(2)]), hash: '0'.repeat(32) }).kind).toBe('resync');
    expect(
      held.applyDelta({ ...delta(hub, { base: 1, revision: 2, set: [peer(2)] }), hash: '0'.repeat(32) }).kind,
    ).toBe('resync');
    expect(held.applyDelta(delta(hub, { base: 7, revision: 8, set: [peer(2)] })).kind).toBe('resync');
    expect(held.current).toBe(before);
  });

  test('is asked for when a delta comes first', () => {
    const held = new CurrentDocument(freshFolder());
    expect(held.applyDelta(delta([], { base: 0, revision: 1, set: [peer(2)] }))).toEqual({
      kind: 'resync',
      why: 'a delta without a document',
    });
  });

  test('that is current under a later revision takes that revision', () => {
    const folder = freshFolder();
    const held = new CurrentDocument(folder);
    const { hash } = whole(3, hub);
    held.acceptDocument(whole(3, hub));
    expect(held.acceptCurrent({ revision: 3, hash }).kind).toBe('same');
    expect(held.acceptCurrent({ revision: 5, hash })).toMatchObject({ kind: 'changed', keys: new Set() });
    expect(held.acceptCurrent({ revision: 5, hash: '0'.repeat(32) }).kind).toBe('resync');
    expect(new CurrentDocument(folder).current?.revision).toBe(5);
  });

  test('can be forgotten for good', () => {
    const folder = freshFolder();
    const held = new CurrentDocument(folder);
    held.acceptDocument(whole(3, hub));
    held.clear();
    expect(new CurrentDocument(folder).current).toEqual({
      revision: 0,
      hash: '0'.repeat(32),
      entries: new Map(),
    });
  });
});

describe('on a disk that takes nothing [9.32]', () => {
  /** A folder in the place of each file: nothing can be written there. */
  function block(folder: StateFolder): void {
    for (const file of ['document.json.draft', 'document.journal']) {
      folder.remove(file);
      mkdirSync(folder.at(file));
    }
  }

  test('deltas are taken all the same, and the whole is stored when it can be', () => {
    const folder = freshFolder();
    const held = new CurrentDocument(folder);
    held.acceptDocument(whole(1, hub));
    block(folder);
    expect(held.applyDelta(delta(hub, { base: 1, revision: 2, set: [peer(2)] })).kind).toBe('changed');
    expect(held.applyDelta(delta([...hub, peer(2)], { base: 2, revision: 3, set: [peer(3)] })).kind).toBe(
      'changed',
    );
    expect(held.current?.revision).toBe(3);
    expect(held.isUnstored).toBe(true);
    expect(() => held.store()).toThrow(/cannot be used/);
    rmdirSync(folder.at('document.json.draft'));
    held.store();
    expect(held.isUnstored).toBe(false);
    expect(new CurrentDocument(folder).current).toEqual(held.current);
    held.applyDelta(delta([...hub, peer(2), peer(3)], { base: 3, revision: 4, set: [peer(4)] }));
    expect(new CurrentDocument(folder).current?.revision).toBe(4);
  });

  test('a machine that was sent away does not keep what it had', () => {
    const folder = freshFolder();
    const held = new CurrentDocument(folder);
    held.acceptDocument(whole(1, hub));
    block(folder);
    held.clear();
    expect(held.current?.entries.size).toBe(0);
    expect(new CurrentDocument(folder).current).toBeNull();
  });
});

describe('after a power cut', () => {
  test('a torn last delta is dropped, and the next one fits behind the rest', () => {
    const folder = freshFolder();
    const held = new CurrentDocument(folder);
    held.acceptDocument(whole(1, hub));
    held.applyDelta(delta(hub, { base: 1, revision: 2, set: [peer(2)] }));
    const whole2 = readFileSync(folder.at('document.journal'), 'utf8');
    appendFileSync(folder.at('document.journal'), whole2.slice(0, 50));
    const again = new CurrentDocument(folder);
    expect(again.current?.revision).toBe(2);
    expect(readFileSync(folder.at('document.journal'), 'utf8')).toBe(whole2);
    again.applyDelta(delta([...hub, peer(2)], { base: 2, revision: 3, set: [peer(3)] }));
    expect(new CurrentDocument(folder).current?.revision).toBe(3);
  });

  test('a journal older than its document is passed over', () => {
    const folder = freshFolder();
    const held = new CurrentDocument(folder);
    held.acceptDocument(whole(1, hub));
    held.applyDelta(delta(hub, { base: 1, revision: 2, set: [peer(2)] }));
    const old = readFileSync(folder.at('document.journal'), 'utf8');
    held.acceptDocument(whole(3, [...hub, peer(3)]));
    writeFileSync(folder.at('document.journal'), old);
    expect(new CurrentDocument(folder).current).toEqual(held.current);
  });

  test('a document that cannot be read counts as none', () => {
    const folder = freshFolder();
    new CurrentDocument(folder).acceptDocument(whole(1, hub));
    const text = readFileSync(folder.at('document.json'), 'utf8');
    for (const broken of ['', text.slice(0, 100), text.replace('1420', '1421')]) {
      writeFileSync(folder.at('document.json'), broken);
      expect(new CurrentDocument(folder).current).toBeNull();
    }
  });
});

test('what was applied is known after a restart, unless another document came since', () => {
  const folder = freshFolder();
  const held = new CurrentDocument(folder);
  held.acceptDocument(whole(1, hub));
  expect(held.wasApplied()).toBe(false);
  held.noteApplied({ revision: 1, hash: held.current?.hash ?? '' });
  expect(new CurrentDocument(folder).wasApplied()).toBe(true);
  held.applyDelta(delta(hub, { base: 1, revision: 2, set: [peer(2)] }));
  expect(new CurrentDocument(folder).wasApplied()).toBe(false);
});

test('any row of deltas gives the same document in memory, after a restart and by merging by hand', () => {
  const change = fc.record({
    set: fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { maxLength: 40 }),
    remove: fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { maxLength: 20 }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const folder = freshFolder();
      const held = new CurrentDocument(folder);
      held.acceptDocument(whole(0, hub));
      let expected = documentOf(hub);
      changes.forEach(({ set, remove }, i) => {
        const patch = { set: set.map(peer), remove: remove.map((number) => entryKey(peer(number))) };
        const message = delta([...expected.values()], { base: i, revision: i + 1, ...patch });
        expected = applyPatch(expected, patch);
        expect(held.applyDelta(message).kind).toBe('changed');
      });
      expect(held.current?.entries).toEqual(expected);
      expect(new CurrentDocument(folder).current).toEqual(held.current);
    }),
    { numRuns: 25 },
  );
});
