// Groups in nftables: a set of addresses for each, and one for each block of groups.
import type { Group, GroupBlock, NetworkFirewall } from '@powernode/core/compile/firewall/model';
import { type Family, familyOf } from '@powernode/core/net/address';
import { families, formName, words } from './names.ts';
import type { TableBuilder } from './table-builder.ts';

export function groupSet(handle: string, group: string, family: Family): string {
  return `pn_group_${handle}_${formName({ kind: 'group', group })}_${family}`;
}

export function blockSet(handle: string, number: number, family: Family): string {
  return `pn_block_${handle}_${number}_${family}`;
}

type Elements = Readonly<Record<Family, ReadonlyMap<string, string>>>;

const known = new WeakMap<Group | GroupBlock, Elements>();

/** The elements of its sets; the same for the same group. */
function elementsOf(group: Group | GroupBlock): Elements {
  const before = known.get(group);
  if (before !== undefined) return before;
  const elements = { 6: new Map<string, string>(), 4: new Map<string, string>() };
  for (const address of group.addresses) elements[familyOf(address)].set(address, '');
  known.set(group, elements);
  return elements;
}

/** The families of which the group has members; for others there are no sets. */
export function familiesOf(group: Group | GroupBlock | undefined): Family[] {
  return group === undefined ? [] : families.filter((family) => elementsOf(group)[family].size > 0);
}

export function addGroupSets(table: TableBuilder, firewall: NetworkFirewall): void {
  const { handle } = firewall;
  for (const group of firewall.groups.values()) {
    for (const family of familiesOf(group)) {
      table.members(groupSet(handle, group.name, family), words[family].address, elementsOf(group)[family]);
    }
  }
}

export function addBlockSets(table: TableBuilder, firewall: NetworkFirewall): void {
  for (const block of firewall.blocks.values()) {
    for (const family of familiesOf(block)) {
      table.members(
        blockSet(firewall.handle, block.number, family),
        words[family].address,
        elementsOf(block)[family],
      );
    }
  }
}
