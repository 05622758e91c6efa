// What the fields of a form become.
import { expect, it } from 'vitest';
import { numberOrText, withoutBlanks } from './form-values.ts';

it('leaves out what was left empty', () => {
  expect(withoutBlanks({ name: 'a', prefix: ' ', description: '' })).toEqual({ name: 'a' });
});

it('sends a number as one, and nonsense as it was written', () => {
  expect(['1420', ' 9 ', '', 'many', '1e3'].map(numberOrText)).toEqual([1420, 9, '', 'many', 1000]);
});
