// The difference of an object before and after, as lines of one place each. No elements here.

export type DiffKind = 'same' | 'added' | 'removed' | 'changed';

export interface DiffLine {
  /** Dotted: `interfaces.0.name`. */
  readonly path: string;
  readonly kind: DiffKind;
  readonly before: string | null;
  readonly after: string | null;
}

type Leaves = ReadonlyMap<string, string>;

/** Lines in the order of the object, with those that are gone where they were. */
export function diffLines(before: unknown, after: unknown): DiffLine[] {
  const old = leavesOf(before);
  const now = leavesOf(after);
  return mergedPaths([...old.keys()], [...now.keys()]).map((path) => {
    const [was, is] = [old.get(path) ?? null, now.get(path) ?? null];
    const kind = was === null ? 'added' : is === null ? 'removed' : was === is ? 'same' : 'changed';
    return { path, kind, before: was, after: is };
  });
}

/** Short lists of plain values are one place: tags and addresses are read as a whole. */
function leavesOf(value: unknown): Leaves {
  const leaves = new Map<string, string>();
  function visit(at: unknown, path: string): void {
    if (Array.isArray(at) && at.every(isPlain))
      leaves.set(path, at.length === 0 ? '[]' : at.map(show).join(', '));
    else if (typeof at === 'object' && at !== null) {
      for (const [name, inner] of Object.entries(at)) visit(inner, path === '' ? name : `${path}.${name}`);
    } else if (path !== '') leaves.set(path, show(at));
  }
  visit(value, '');
  return leaves;
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** The new order, with each lost path after the one that it used to follow. */
function mergedPaths(old: readonly string[], now: readonly string[]): string[] {
  const known = new Set(now);
  const lostAfter = new Map<string, string[]>();
  let anchor = '';
  for (const path of old) {
    if (known.has(path)) anchor = path;
    else lostAfter.set(anchor, [...(lostAfter.get(anchor) ?? []), path]);
  }
  return [...(lostAfter.get('') ?? []), ...now.flatMap((path) => [path, ...(lostAfter.get(path) ?? [])])];
}
