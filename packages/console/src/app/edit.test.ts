// What an edit sends, what it tells of a change by somebody else, and that no form of an object goes round it.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { definitionOf } from '@powernode/core/actions/catalogue';
import { expect, it } from 'vitest';
import { actionFacts } from '../api/actions.ts';
import type { Event } from '../api/event.ts';
import { labelOf, wordsOf } from '../parts/values.ts';
import { changersOf, differencesOf, mergedOf, touchedOf } from './edit.ts';

it('only touched fields are sent [9.12]', () => {
  const opened = { name: 'office', tags: ['a'], mtu: 1420 };
  expect(touchedOf(opened, { name: 'office', tags: ['a', 'b'], mtu: 1420 })).toEqual({ tags: ['a', 'b'] });
  expect(touchedOf(opened, { name: 'office', tags: ['a'], mtu: 1420 })).toEqual({});
  // A parameter that there was none of before is touched when it is given.
  expect(touchedOf(opened, { ...opened, listen_port: 51_820 })).toEqual({ listen_port: 51_820 });
});

it('what somebody else changed is told, and whether it meets what was written here [9.12]', () => {
  const opened = { policy: 'accept', name: 'a', mtu: 1, same: 1 };
  const newest = { policy: 'drop', name: 'b', mtu: 2, same: 1 };
  const written = { policy: 'accept', name: 'c', mtu: 2, same: 9 };
  expect(differencesOf({ opened, written, newest }, (values) => values)).toEqual([
    { parameter: 'policy', was: 'accept', now: 'drop', mine: 'accept', contested: false },
    { parameter: 'name', was: 'a', now: 'b', mine: 'c', contested: true },
    { parameter: 'mtu', was: 1, now: 2, mine: 2, contested: false },
  ]);
});

it('of fields that are one value none is taken back without a decision [9.12]', () => {
  const parametersOf = ({ traffic: [protocol, ports] }: { readonly traffic: readonly [string, string] }) => ({
    protocol,
    ports,
  });
  const opened = { traffic: ['tcp', '443'] } as const;
  const written = { traffic: ['udp', '443'] } as const;
  const newest = { traffic: ['tcp', '8443'] } as const;
  // Keeping mine would keep 443 too.
  expect(
    differencesOf<{ traffic: readonly [string, string] }>({ opened, written, newest }, parametersOf),
  ).toEqual([{ parameter: 'ports', was: '443', now: '8443', mine: '443', contested: true }]);
});

it('the newer values come into the fields; where both wrote, the person decides [9.12]', () => {
  const three = {
    opened: { a: 1, b: 1, c: [1], d: 1 },
    written: { a: 2, b: 2, c: [1], d: 1 },
    newest: { a: 1, b: 3, c: [4], d: 1 },
  };
  expect(mergedOf(three, 'mine')).toEqual({ a: 2, b: 2, c: [4], d: 1 });
  expect(mergedOf(three, 'theirs')).toEqual({ a: 2, b: 3, c: [4], d: 1 });
});

it('those who changed it are named from its own events of these revisions [9.12]', () => {
  const event = (name: string, revision: number, id = 'x') =>
    ({
      actor: { kind: 'operator', id: null, name },
      payload: { before: null, after: { id, revision } },
    }) as unknown as Event;
  const newestFirst = [
    event('too new', 6),
    event('Grace', 5),
    event('Ada', 4),
    event('other object', 4, 'y'),
    event('Grace', 3),
    event('before', 2),
  ];
  expect(changersOf(newestFirst, { id: 'x', revision: 5 }, 2)).toEqual(['Grace', 'Ada']);
  expect(changersOf([], { id: 'x', revision: 5 }, 2)).toEqual([]);
});

it('values are written for people', () => {
  const id = '0199a000-0000-7000-8000-000000000001';
  expect(wordsOf([id, 'b'], () => 'hub1')).toBe('hub1, b');
  expect(wordsOf({ kind: 'peer', peer_id: id })).toBe('peer …000000000001');
  expect([wordsOf(null), wordsOf(''), wordsOf([]), wordsOf(false), wordsOf(0)]).toEqual([
    'none',
    'none',
    'none',
    'no',
    '0',
  ]);
  expect(labelOf('primary_holder_peer_id')).toBe('Primary holder peer');
});

const source = path.join(import.meta.dirname, '..');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
  (file) => /\.tsx?$/.test(file) && !file.includes('.test.'),
);
const text = (file: string) => readFileSync(path.join(source, file), 'utf8');
const edits = Object.keys(actionFacts).filter((key) => key.startsWith('update'));

it('every edit takes the revision that it was opened at [9.12]', () => {
  expect(edits.filter((key) => !definitionOf(key as keyof typeof actionFacts).revised)).toEqual([]);
});

it.each(edits)('%s is asked for by the one form of edits, and no form goes round it [9.12]', (key) => {
  const users = (pattern: RegExp) => files.filter((file) => pattern.test(text(file)));
  expect(users(new RegExp(`<EditForm\\s+action="${key}"`))).toHaveLength(1);
  expect(users(new RegExp(`<ChangeForm\\s+action="${key}"`))).toEqual([]);
  expect(
    users(new RegExp(`(useChange|usePreview|client\\.change|client\\.previewChange)\\(\\s*'${key}'`)),
  ).toEqual([]);
});

it('what is asked of one object says which revision it was asked about [9.12]', () => {
  const dialogs = files.flatMap((file) =>
    [...text(file).matchAll(/<PlannedDialog[^]*?action="(\w+)"[^]*?parameters=\{\{([^]*?)\}\}/g)].map(
      ([, action = '', parameters = '']) => ({ file, action, parameters }),
    ),
  );
  expect(dialogs.length).toBeGreaterThan(8);
  const isRevised = (action: string) => definitionOf(action as keyof typeof actionFacts).revised;
  const revised = dialogs.filter(({ action }) => isRevised(action));
  expect(revised.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['terminateInstance', 'failoverVirtualIp', 'deleteNetwork']),
  );
  for (const dialog of revised)
    expect(dialog).toMatchObject({ parameters: expect.stringContaining('if_revision') });
});
