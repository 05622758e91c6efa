// What a node does not apply of its document after a change of it cut the node off (decision 10). It goes back to the
// document before in what leads packets; what the change took away, denied or rotated stays taken away, denied and
// rotated. Pure: when to go back is decided by the agent.
import { canonicalJson } from '../compile/digest.ts';
import { traitsOf } from '../compile/entry-kinds.ts';
import { type Before, Blocks, type Entries, type Reverted } from '../compile/take-back.ts';
import type { EntryValue } from '../wire/document.ts';

/** What of the change from `before` to `current` is taken back: each kind of entry has its rule (compile/entry-kind.ts). */
export function rollBack(before: Before, current: Entries): Reverted[] {
  const blocks = new Blocks(before, current);
  return [...before].flatMap(([key, was]) => {
    const is = current.get(key) ?? null;
    if (was === null) {
      return is === null ? [] : traitsOf(is).rollBack.added(key, is, { before, current, blocks });
    }
    const kind = traitsOf(was).rollBack;
    if (is === null) return kind.removed?.(key, was, blocks) ?? [];
    return was.kind === is.kind ? kind.changed(key, { was, is }, blocks) : [];
  });
}

/** Whether the document still wants what was taken back. */
export function isReverted(one: Reverted, entries: Entries): boolean {
  return isWanted(one, entries) && (one.along === null || isWanted(one.along, entries));
}

function isWanted(
  { key, field, rejected }: Pick<Reverted, 'key' | 'field' | 'rejected'>,
  entries: Entries,
): boolean {
  const is = entries.get(key);
  if (is === undefined) return rejected === null;
  if (rejected === null) return false;
  return canonicalJson(field === null ? is : valueOf(is, field)) === rejected;
}

function valueOf(entry: EntryValue, field: string): unknown {
  return new Map<string, unknown>(Object.entries(entry)).get(field) ?? null;
}

/** Fields that are left out where they have no value; all others are null then. */
const optionalFields: ReadonlySet<string> = new Set(['fallback_endpoints']);

function withField(entry: EntryValue, field: string, value: unknown): EntryValue {
  const others = Object.entries(entry).filter(([name]) => name !== field);
  const own = value === null && optionalFields.has(field) ? [] : [[field, value] as const];
  return Object.fromEntries([...others, ...own]) as EntryValue;
}

/** The document without what was taken back, and without what can only be with it. */
export function effectiveEntries(entries: Entries, reverted: readonly Reverted[]): Entries {
  const active = reverted.filter((one) => isReverted(one, entries));
  if (active.length === 0) return entries;
  const effective = new Map(entries);
  for (const { key, field, instead } of active) {
    const is = effective.get(key);
    if (field === null) {
      if (instead === null) effective.delete(key);
      else effective.set(key, instead as EntryValue);
    } else if (is !== undefined) effective.set(key, withField(is, field, instead));
  }
  return applicable(effective);
}

/** Without entries on interfaces that are not there, and without routes that have no next hop. */
function applicable(entries: Entries): Entries {
  const all = new Set<string>();
  const peered = new Set<string>();
  for (const entry of entries.values()) {
    if (entry.kind === 'interface') all.add(entry.name);
    if (entry.kind === 'peer') peered.add(entry.interface);
  }
  const kept = new Map<string, EntryValue>();
  for (const [key, entry] of entries) {
    const applied = traitsOf(entry).on(entry, { all, peered });
    if (applied !== null) kept.set(key, applied);
  }
  return kept;
}
