// What a change does to the fields of its object, as they are and as they would be: part of every plan, so that whoever
// decides sees both, on every surface.
import { canonicalJson } from '../compile/digest.ts';
import { idShape } from '../ids.ts';
import type { Plan } from '../intent/autonomy.ts';

type Members = Readonly<Record<string, unknown>>;
export type PlanField = NonNullable<Plan['fields']>[number];

/** The fields that differ, in the order of the object. */
export function changedFields(before: Members, after: Members): PlanField[] {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return paths.flatMap((path) => {
    const [was, is] = [before[path] ?? null, after[path] ?? null];
    return isStamp(path) || canonicalJson(was) === canonicalJson(is)
      ? []
      : [{ path, before: was, after: is }];
  });
}

/** Every write renews them, and a plan knows no time at which it will be carried out. */
function isStamp(path: string): boolean {
  return path === 'revision' || path.endsWith('_at') || path.endsWith('_since');
}

/** The objects that the fields name by their ids, each once. */
export function idsIn(fields: readonly PlanField[]): string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === 'string' && idShape.test(value)) found.add(value);
    else if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) visit(one);
  };
  for (const { before, after } of fields) visit([before, after]);
  return [...found];
}

/** A value with names in the place of ids, for people. */
export function withNamesOf(value: unknown, names: Readonly<Record<string, string>> = {}): unknown {
  if (typeof value === 'string') return Object.hasOwn(names, value) ? names[value] : value;
  if (Array.isArray(value)) return value.map((one) => withNamesOf(one, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withNamesOf(one, names)]));
}
