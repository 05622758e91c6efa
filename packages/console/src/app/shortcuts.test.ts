// How sequences of keys are read.
import { describe, expect, it } from 'vitest';
import { nothingPressed, press, sequenceMs } from './shortcuts.ts';

function typed(...keys: readonly (readonly [key: string, at: number])[]): string[] {
  let pressed = nothingPressed;
  return keys.flatMap(([key, at]) => {
    const next = press(pressed, key, at);
    pressed = next.pressed;
    return next.shortcut === null ? [] : [next.shortcut.what];
  });
}

describe('keys', () => {
  it('do something alone or one after the other', () => {
    expect(typed(['g', 1], ['n', 200], ['/', 300], ['?', 400])).toEqual([
      'Networks',
      'Filter the list',
      'Show keyboard shortcuts',
    ]);
  });

  it('that come late begin anew', () => {
    expect(typed(['g', 1], ['n', 2 + sequenceMs])).toEqual([]);
    expect(typed(['g', 1], ['g', 10 + sequenceMs], ['e', 20 + sequenceMs])).toEqual(['Events']);
  });

  it('that mean nothing end a sequence', () => {
    expect(typed(['g', 1], ['x', 2], ['n', 3])).toEqual([]);
    expect(typed(['g', 1], ['g', 2], ['i', 3])).toEqual(['Instances']);
    expect(typed(['g', 1], ['/', 2])).toEqual(['Filter the list']);
  });
});
