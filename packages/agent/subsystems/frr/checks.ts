// Checks of what a daemon answers, written by hand: an answer can have thousands of members, and a general validator takes
// a tenth of a second for a table of 1,000 prefixes, in which the agent does nothing else.
import { frrAddressLengthMax } from '@powernode/core/limits/agent';

/** An answer is not of the shape that is known: where, and what was expected. */
export class UnreadableAnswer extends Error {}

export type Members = Readonly<Record<string, unknown>>;

/** What an answer is read with. Fails with `UnreadableAnswer`. */
export type Reader<T> = (answer: unknown) => T;

export function members(value: unknown, where: string, most: number): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(where, 'an object');
  const found = value as Members;
  let count = 0;
  for (const key in found) {
    if (key.length > frrAddressLengthMax)
      throw wrong(where, `names of at most ${frrAddressLengthMax} characters`);
    if (++count > most) throw wrong(where, `at most ${most} members`);
  }
  return found;
}

export function list(value: unknown, where: string, most: number): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw wrong(where, 'a list');
  if (value.length > most) throw wrong(where, `at most ${most} elements`);
  return value;
}

/** Not negative. Absent: `otherwise`. */
export function count<T>(value: unknown, where: string, otherwise: T): number | T {
  if (value === undefined) return otherwise;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw wrong(where, 'a count');
  return value;
}

export function flag(value: unknown, where: string): boolean {
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw wrong(where, 'true or false');
  return value;
}

export function text(value: unknown, where: string, longest = frrAddressLengthMax): string {
  if (typeof value !== 'string') throw wrong(where, 'a text');
  if (value.length > longest) throw wrong(where, `at most ${longest} characters`);
  return value;
}

/** Of a member that may be absent. */
export function textOr(value: unknown, otherwise: string, where: string, longest?: number): string {
  return value === undefined ? otherwise : text(value, where, longest);
}

function wrong(where: string, expected: string): UnreadableAnswer {
  return new UnreadableAnswer(`${where}: ${expected} was expected`);
}
