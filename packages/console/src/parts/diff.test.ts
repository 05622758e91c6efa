// How a change of an object is shown.
import { describe, expect, it } from 'vitest';
import { diffLines } from './diff.ts';

function shown(before: unknown, after: unknown): string[] {
  const marks = { same: ' ', added: '+', removed: '-', changed: '~' };
  return diffLines(before, after).map((line) => {
    const value = line.kind === 'changed' ? `${line.before} → ${line.after}` : (line.after ?? line.before);
    return `${marks[line.kind]} ${line.path} ${value}`;
  });
}

describe('a difference', () => {
  it('shows what changed among what stayed', () => {
    expect(shown({ name: 'a', mtu: 1420, tags: ['x'] }, { name: 'b', mtu: 1420, tags: ['x', 'y'] })).toEqual([
      '~ name a → b',
      '  mtu 1420',
      '~ tags x → x, y',
    ]);
  });

  it('of what is new or gone has only one side', () => {
    expect(shown(null, { name: 'a', on: true })).toEqual(['+ name a', '+ on true']);
    expect(shown({ name: 'a' }, null)).toEqual(['- name a']);
  });

  it('keeps what is gone where it was', () => {
    expect(shown({ a: 1, b: 2, c: 3 }, { a: 1, c: 3, d: 4 })).toEqual(['  a 1', '- b 2', '  c 3', '+ d 4']);
    expect(shown({ a: 1, b: 2 }, { b: 2 })).toEqual(['- a 1', '  b 2']);
  });

  it('goes into objects and lists of objects', () => {
    expect(shown({ at: { x: 1 }, list: [{ n: 1 }] }, { at: { x: 2 }, list: [{ n: 1 }, { n: 2 }] })).toEqual([
      '~ at.x 1 → 2',
      '  list.0.n 1',
      '+ list.1.n 2',
    ]);
  });

  it('tells nothing from the text null, and an empty list from no list', () => {
    expect(shown({ a: null }, { a: 'x' })).toEqual(['~ a null → x']);
    expect(shown({}, { a: [] })).toEqual(['+ a []']);
  });

  it('of nothing is nothing', () => {
    expect(diffLines(null, null)).toEqual([]);
    expect(diffLines('text', 7)).toEqual([]);
  });
});
