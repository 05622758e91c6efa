// What is on disk outlives the agent that wrote it: an upgraded agent reads what the one before it wrote, and one that is
// set back goes on with what it knows.
import { readFileSync, writeFileSync } from 'node:fs';
import { unknownEntry } from '@powernode/core/wire/document';
import { type DeltaMessage, type DocumentMessage, platformMessages } from '@powernode/core/wire/node-stream';
import { pinnedFrames } from '@powernode/core/wire/pinned.fixture';
import { describe, expect, test } from 'vitest';
import { documentOf, hashOf, hubDocument } from '../fixtures/documents.ts';
import { freshFolder } from '../fixtures/folder.ts';
import { CurrentDocument } from './current-document.ts';
import type { StateFolder } from './folder.ts';

const [document] = pinnedFrames('platform', 'document', 3);
const [delta] = pinnedFrames('platform', 'delta', 3);
const documentMessage = platformMessages.schema.parse(document) as DocumentMessage;
const deltaMessage = platformMessages.schema.parse(delta) as DeltaMessage;

function write(folder: StateFolder, name: string, text: string): void {
  writeFileSync(folder.at(name), text);
}

function stored(folder: StateFolder): { version?: number; entries: { kind: string }[] } {
  return JSON.parse(readFileSync(folder.at('document.json'), 'utf8')) as ReturnType<typeof stored>;
}

describe('a document of an agent of before, which has no version', () => {
  test('is held with its journal, and brought to this form when it is stored', () => {
    const folder = freshFolder();
    write(folder, 'document.json', JSON.stringify(document));
    write(folder, 'document.journal', `${JSON.stringify(delta)}\n`);
    const held = new CurrentDocument(folder);
    expect(held.current).toMatchObject({ revision: deltaMessage.revision, hash: deltaMessage.hash });
    expect(held.current?.entries.has('forwarding/berlin12')).toBe(false);
    expect(held.unsupported.size).toBe(0);
    expect(held.isUnstored).toBe(true);
    // Looking changes nothing on disk.
    expect(stored(folder).version).toBeUndefined();
    held.store();
    expect(held.isUnstored).toBe(false);
    expect(stored(folder).version).toBe(2);
    expect(folder.read('document.journal')).toBeNull();
    expect(new CurrentDocument(folder).current).toEqual(held.current);
  });

  test('takes the next delta, which is on disk when the whole is', () => {
    const folder = freshFolder();
    write(folder, 'document.json', JSON.stringify(document));
    const held = new CurrentDocument(folder);
    expect(held.applyDelta(deltaMessage).kind).toBe('changed');
    expect(new CurrentDocument(folder).current?.revision).toBe(documentMessage.revision);
    held.store();
    expect(new CurrentDocument(folder).current).toEqual(held.current);
  });
});

const bgp = (peers: number) =>
  unknownEntry.parse({ kind: 'bgp_speaker', key: 'bgp_speaker/wg-test', as_number: 65000, peers });

describe('entries of a later platform', () => {
  const hub = hubDocument(1, `${'H'.repeat(43)}=`);
  const whole = (revision: number, peers: number): DocumentMessage => ({
    kind: 'document',
    revision,
    hash: hashOf(documentOf([...hub, bgp(peers)])),
    entries: [...hub, bgp(peers)],
  });

  test('are kept as they came, count in the hash, and are no entries to apply', () => {
    const folder = freshFolder();
    const held = new CurrentDocument(folder);
    expect(held.acceptDocument(whole(1, 1)).kind).toBe('changed');
    for (const one of [held, new CurrentDocument(folder)]) {
      expect(one.current?.entries).toEqual(documentOf(hub));
      expect([...one.unsupported]).toEqual([['bgp_speaker/wg-test', bgp(1)]]);
      expect(one.current?.hash).toBe(whole(1, 1).hash);
    }
  });

  test('are changed and taken away by deltas, also from the journal', () => {
    const folder = freshFolder();
    const held = new CurrentDocument(folder);
    held.acceptDocument(whole(1, 1));
    const changed = { kind: 'delta', base: 1, revision: 2, hash: whole(2, 2).hash } as const;
    expect(held.applyDelta({ ...changed, set: [bgp(2)], remove: [] }).kind).toBe('changed');
    expect([...new CurrentDocument(folder).unsupported.values()]).toEqual([bgp(2)]);
    const gone = {
      kind: 'delta' as const,
      base: 2,
      revision: 3,
      hash: hashOf(documentOf(hub)),
      set: [] as never[],
    };
    const accepted = held.applyDelta({ ...gone, remove: ['bgp_speaker/wg-test'] });
    expect(accepted).toMatchObject({ kind: 'changed', keys: new Set(['bgp_speaker/wg-test']) });
    for (const one of [held, new CurrentDocument(folder)]) {
      expect(one.unsupported.size).toBe(0);
      expect(one.current?.hash).toBe(gone.hash);
    }
    expect(held.applyDelta({ ...changed, base: 3, set: [bgp(9)], remove: [] }).kind).toBe('resync');
  });
});

describe('a document of a later agent', () => {
  test('goes on with what this one knows: unknown kinds, members and versions', () => {
    const folder = freshFolder();
    const entries = [...hubDocument(1, `${'H'.repeat(43)}=`).map((one) => ({ ...one, later: [1] })), bgp(1)];
    const hash = hashOf(documentOf(entries));
    write(folder, 'document.json', JSON.stringify({ version: 7, revision: 5, hash, entries, moods: 'x' }));
    const held = new CurrentDocument(folder);
    expect(held.current?.revision).toBe(5);
    expect(held.current?.entries.size).toBe(entries.length - 1);
    expect([...held.unsupported.keys()]).toEqual(['bgp_speaker/wg-test']);
    held.store();
    expect(stored(folder)).toMatchObject({ version: 2, hash, entries });
    expect(new CurrentDocument(folder).current).toEqual(held.current);
  });

  test('has a known kind in a form that this one cannot read: kept, and not applied', () => {
    const folder = freshFolder();
    const hub = hubDocument(1, `${'H'.repeat(43)}=`);
    const odd = { kind: 'rule', network_id: 'n', rule_id: 'r1', direction: 'sideways' };
    const entries = [...hub, odd];
    const hash = hashOf(documentOf(entries as typeof hub));
    write(folder, 'document.json', JSON.stringify({ version: 7, revision: 5, hash, entries }));
    const held = new CurrentDocument(folder);
    expect(held.current?.entries).toEqual(documentOf(hub));
    expect([...held.unsupported]).toEqual([['rule/r1', odd]]);
    // The platform sets it anew, or takes it away.
    const gone = {
      kind: 'delta' as const,
      base: 5,
      revision: 6,
      hash: hashOf(documentOf(hub)),
      set: [] as never[],
    };
    expect(held.applyDelta({ ...gone, remove: ['rule/r1'] }).kind).toBe('changed');
    expect(held.unsupported.size).toBe(0);
  });

  test('that is none is forgotten: another hash, an entry without a key, no JSON', () => {
    const hub = hubDocument(1, `${'H'.repeat(43)}=`);
    const good = { version: 2, revision: 1, hash: hashOf(documentOf(hub)), entries: hub };
    const texts = [
      JSON.stringify({ ...good, hash: '0'.repeat(32) }),
      JSON.stringify({ ...good, entries: [...hub, { kind: 'moods' }] }),
      JSON.stringify({ ...good, entries: [...hub, null] }),
      JSON.stringify({ ...good, version: 0 }),
      JSON.stringify({ ...good, version: '2' }),
      JSON.stringify({ ...good, entries: {} }),
      '{',
    ];
    for (const text of texts) {
      const folder = freshFolder();
      write(folder, 'document.json', text);
      expect(new CurrentDocument(folder).current, text.slice(0, 60)).toBeNull();
    }
  });
});
