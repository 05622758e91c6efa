// Test support: the members that a schema has, and those of a value, as paths; and the lists of values in a schema. So a
// test sees that a schema says no more than the pinned frames show.
import type { z } from 'zod';

type Schema = z.core.$ZodType;
type Def = z.core.$ZodTypeDef & Readonly<Record<string, unknown>>;

/** `hello.underlay[].kind` and the like, below `path`; `leaves` are looked into no further. */
export function membersOf(schema: Schema, path: string, leaves: readonly string[] = []): Set<string> {
  const found = new Set<string>();
  walk(schema, path, { member: (at) => found.add(at), leaves });
  return found;
}

/** The values that a member may have, where there is a list of them. */
export function listsOf(
  schema: Schema,
  path: string,
  leaves: readonly string[] = [],
): Map<string, unknown[]> {
  const found = new Map<string, unknown[]>();
  const list = (at: string, values: readonly unknown[]) =>
    found.set(at, [...new Set([...(found.get(at) ?? []), ...values])]);
  walk(schema, path, { list, leaves });
  return found;
}

export function membersOfValue(value: unknown, path: string, leaves: readonly string[] = []): Set<string> {
  const found = new Set<string>();
  const visit = (one: unknown, at: string): void => {
    if (leaves.includes(at) || typeof one !== 'object' || one === null) return;
    if (Array.isArray(one)) {
      for (const inner of one) visit(inner, `${at}[]`);
      return;
    }
    for (const [name, inner] of Object.entries(one)) {
      found.add(`${at}.${name}`);
      visit(inner, `${at}.${name}`);
    }
  };
  visit(value, path);
  return found;
}

interface Visitor {
  member?(path: string): void;
  list?(path: string, values: readonly unknown[]): void;
  readonly leaves: readonly string[];
}

function walk(schema: Schema, path: string, visitor: Visitor): void {
  if (visitor.leaves.includes(path)) return;
  const def = schema._zod.def as Def;
  const into = (key: string, at = path) => walk(def[key] as Schema, at, visitor);
  switch (def.type as string) {
    case 'object':
      for (const [name, inner] of Object.entries(def['shape'] as Record<string, Schema>)) {
        visitor.member?.(`${path}.${name}`);
        walk(inner, `${path}.${name}`, visitor);
      }
      return;
    case 'array':
      return into('element', `${path}[]`);
    case 'tuple':
      for (const one of def['items'] as Schema[]) walk(one, `${path}[]`, visitor);
      return;
    case 'union':
      for (const one of def['options'] as Schema[]) walk(one, path, visitor);
      return;
    case 'pipe':
      return into('in');
    case 'enum':
      return visitor.list?.(path, Object.values(def['entries'] as object));
    case 'literal':
      return visitor.list?.(path, def['values'] as unknown[]);
    default:
      if (def['innerType'] !== undefined) into('innerType');
  }
}
