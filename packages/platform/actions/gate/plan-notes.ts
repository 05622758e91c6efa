// The notes of a plan as they are shown: so many, and how many more there are.
import { planNotesMax } from '@powernode/core/limits/requests';
import type { PlanNote } from '../context.ts';

export function shownNotes(notes: readonly PlanNote[]): readonly PlanNote[] {
  if (notes.length <= planNotesMax) return notes;
  const shown = notes.slice(0, planNotesMax - 1);
  return [...shown, { code: 'more', detail: `And ${notes.length - shown.length} more notes.` }];
}
