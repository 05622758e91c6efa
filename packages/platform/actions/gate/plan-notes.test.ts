// A plan with more notes than are shown says so.
import { planNotesMax } from '@powernode/core/limits/requests';
import { expect, test } from 'vitest';
import { shownNotes } from './plan-notes.ts';

const notes = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ code: 'dependent', detail: `Note ${i}.` }));

test('as many as fit are shown as they are', () => {
  expect(shownNotes(notes(planNotesMax))).toEqual(notes(planNotesMax));
});

test('of more the last one says how many are left out [9.11]', () => {
  const shown = shownNotes(notes(planNotesMax + 10));
  expect(shown).toHaveLength(planNotesMax);
  expect(shown.at(-2)).toEqual({ code: 'dependent', detail: `Note ${planNotesMax - 2}.` });
  expect(shown.at(-1)).toEqual({ code: 'more', detail: 'And 11 more notes.' });
});
