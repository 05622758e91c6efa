// What an edit sends and how it meets a change of somebody else: what was written is compared with the object at
// opening and with the object now. No elements here.
import { type Event, turnOf } from '../api/event.ts';

/** An object that can be edited: each change of it gives it the next revision. */
export interface Editable {
  readonly id: string;
  readonly revision: number;
}

export type Members = Readonly<Record<string, unknown>>;

/** Equal as JSON: what the platform would read. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The parameters that are not what they were at opening. */
export function touchedOf(opened: Members, written: Members): Members {
  return Object.fromEntries(Object.entries(written).filter(([name, value]) => !isSame(value, opened[name])));
}

/** A parameter that somebody else changed since the form was opened. */
export interface Difference {
  readonly parameter: string;
  readonly was: unknown;
  readonly now: unknown;
  /** What was written into the form, where that is neither of both. */
  readonly mine: unknown;
  /** Both changed it, and not to the same. */
  readonly contested: boolean;
}

export interface Three<T> {
  readonly opened: T;
  readonly written: T;
  readonly newest: T;
}

/**
 * A value of the form may stand for several parameters. Where both wrote it, all of them are contested, for one of the
 * two values is kept as a whole.
 */
export function differencesOf<V extends object>(
  of: Three<V>,
  parametersOf: (values: V) => Members,
): readonly Difference[] {
  const [opened, newest, written] = [of.opened, of.newest, of.written].map(parametersOf) as [
    Members,
    Members,
    Members,
  ];
  const contested = new Set(bothWrote(of).flatMap((name) => parametersBehind(name, of, parametersOf)));
  const names = new Set([...Object.keys(opened), ...Object.keys(newest)]);
  return [...names].flatMap((parameter) => {
    const [was, now, mine] = [opened[parameter], newest[parameter], written[parameter]];
    if (isSame(was, now)) return [];
    const differs = !isSame(mine, now);
    const isContested = differs && (!isSame(mine, was) || contested.has(parameter));
    return [{ parameter, was, now, mine, contested: isContested }];
  });
}

/** The values that were written here and changed by somebody else, and not to the same. */
function bothWrote<V extends object>({ opened, written, newest }: Three<V>): readonly (keyof V)[] {
  return (Object.keys(written) as (keyof V)[]).filter(
    (name) =>
      !isSame(written[name], opened[name]) &&
      !isSame(newest[name], opened[name]) &&
      !isSame(written[name], newest[name]),
  );
}

/** What somebody else changed by changing that value. */
function parametersBehind<V extends object>(
  name: keyof V,
  { opened, newest }: Three<V>,
  parametersOf: (values: V) => Members,
): readonly string[] {
  const turned = parametersOf({ ...opened, [name]: newest[name] });
  return Object.keys(touchedOf(parametersOf(opened), turned));
}

/** The values of the fields on top of the newest object. Fields that nobody touched here take the newer value; where
 * both changed one, `prefer` decides. */
export function mergedOf<V extends object>(of: Three<V>, prefer: 'mine' | 'theirs'): V {
  const merged = Object.keys(of.written).map((name) => {
    const at = name as keyof V;
    const [opened, written, newest] = [of.opened[at], of.written[at], of.newest[at]];
    const touched = !isSame(written, opened);
    const changed = !isSame(newest, opened);
    return [name, touched && !(changed && prefer === 'theirs') ? written : newest];
  });
  return Object.fromEntries(merged) as V;
}

/** Who made the changes after the revision of opening, oldest first; empty when no event told. */
export function changersOf(events: readonly Event[], object: Editable, openedRevision: number): string[] {
  const names = events.flatMap((event) => {
    const { after } = turnOf(event);
    const revision = after?.['revision'];
    const ofIt = after?.['id'] === object.id && typeof revision === 'number';
    return ofIt && revision > openedRevision && revision <= object.revision ? [event.actor.name] : [];
  });
  return [...new Set(names.reverse())];
}
