// Members of groups, and groups in blocks: a packet's remote address is looked up in each block, and only in a block that
// contains it, in each group of the block. So the cost of a new connection does not grow with every tag.
import type { MemberEntry } from '../../wire/document.ts';
import { fnv1a } from '../fnv.ts';
import type { Group, GroupBlock, LookupTable } from './model.ts';

/** Lookups of one packet for 1,000 groups: 32 blocks, and 30 groups in each of the few that it is in. */
const blockCount = 32;

/** The groups that lookup tables name on either side. */
export function groupsOf(
  tables: Iterable<LookupTable>,
  members: readonly MemberEntry[],
  previous: ReadonlyMap<string, Group> | null,
): Map<string, Group> {
  const entries = new Map<string, MemberEntry[]>();
  for (const { signature } of tables) {
    for (const side of [signature.source, signature.destination])
      if (side.kind === 'group') entries.set(side.group, []);
  }
  if (entries.size > 0) for (const member of members) entries.get(member.group)?.push(member);
  const groups = new Map<string, Group>();
  for (const [name, list] of entries) {
    const before = previous?.get(name);
    if (before !== undefined && isSameList(before.entries, list)) groups.set(name, before);
    else groups.set(name, { name, entries: list, addresses: distinct(list) });
  }
  return groups;
}

export function blocksOf(
  groups: ReadonlyMap<string, Group>,
  previous: ReadonlyMap<number, GroupBlock> | null,
): Map<number, GroupBlock> {
  const sorted = new Map<number, Group[]>();
  for (const group of groups.values()) {
    const number = blockNumberOf(group.name);
    const list = sorted.get(number);
    if (list === undefined) sorted.set(number, [group]);
    else list.push(group);
  }
  const blocks = new Map<number, GroupBlock>();
  for (const [number, list] of sorted) {
    list.sort((a, b) => (a.name < b.name ? -1 : 1));
    const before = previous?.get(number);
    if (before !== undefined && isSameList(before.groups, list)) blocks.set(number, before);
    else blocks.set(number, { number, groups: list, addresses: distinct(list) });
  }
  return blocks;
}

/** Follows from the name alone, so that a group stays where it is whatever others there are. */
export function blockNumberOf(group: string): number {
  return fnv1a(group) % blockCount;
}

function distinct(lists: readonly { readonly addresses: readonly string[] }[]): string[] {
  const all = new Set<string>();
  for (const { addresses } of lists) for (const address of addresses) all.add(address);
  return [...all];
}

export function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a === b || (a.length === b.length && a.every((one, i) => one === b[i]));
}
