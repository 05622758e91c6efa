// One object of a network before and after a change: added, replaced by another of the same id, or removed.

export type ObjectChange<T extends object> =
  | { readonly before: null; readonly after: T }
  | { readonly before: T; readonly after: T }
  | { readonly before: T; readonly after: null };

/** The object as it is after the change, or as it last was. */
export function subjectOf<T extends object>(change: {
  readonly before: T | null;
  readonly after: T | null;
}): T {
  const subject = change.after ?? change.before;
  if (subject === null) throw new Error('an object is there neither before nor after its change');
  return subject;
}

/** null: it is there neither before nor after. */
export function objectChange<T extends object>(before: T | null, after: T | null): ObjectChange<T> | null {
  if (after !== null) return before === null ? { before, after } : { before, after };
  return before === null ? null : { before, after };
}
