// The list of one direction of a network as rules, in the order in which packets are looked up.

import { remoteSides } from '@powernode/core/compile/firewall/decision-list';
import { blockNumberOf } from '@powernode/core/compile/firewall/groups';
import type { DecisionStep, LookupTable } from '@powernode/core/compile/firewall/model';
import { blockSet, familiesOf } from './group-sets.ts';
import { addressField, behind, type Clause, groupGuards, type Judging, lookupsOf, setOf } from './lookups.ts';
import { formName, judgeChain } from './names.ts';
import type { TableBuilder } from './table-builder.ts';

/** As many groups are looked up one by one; of more, those of a block only when the packet's remote address is in it. */
const groupsOneByOneMax = 8;

export function hasBlocks({ firewall, direction }: Judging): boolean {
  return firewall[direction].steps.some((step) => step.ofGroup.size > groupsOneByOneMax);
}

/** Adds the sets and chains that they need. */
export function programRules(table: TableBuilder, judging: Judging): string[] {
  const list = judging.firewall[judging.direction];
  for (const lookupTable of list.inputs.tables.values()) table.add(setOf(lookupTable, judging));
  const rules = list.steps.flatMap((step) => [
    ...lookups(step.common, judging),
    ...groupRules(table, judging, step),
  ]);
  return [...rules.map(textOf), list.otherwise];
}

function lookups(tables: readonly LookupTable[], judging: Judging): Clause[] {
  return tables.flatMap((lookupTable) => lookupsOf(lookupTable, judging));
}

function groupRules(table: TableBuilder, judging: Judging, step: DecisionStep): Clause[] {
  const names = [...step.ofGroup.keys()].sort();
  if (names.length <= groupsOneByOneMax)
    return names.flatMap((group) => rulesOfGroup(table, judging, { step, group }));
  const blocks = new Map<number, string[]>();
  for (const group of names) {
    const number = blockNumberOf(group);
    blocks.set(number, [...(blocks.get(number) ?? []), group]);
  }
  return [...blocks]
    .sort(([a], [b]) => a - b)
    .flatMap(([number, groups]) => {
      const chain = `${chainOf(judging, step)}_block${number}`;
      const rules = groups.flatMap((group) => rulesOfGroup(table, judging, { step, group }));
      table.chain(chain, rules.map(textOf));
      return behind(blockGuards(judging, number), { family: null, text: `jump ${chain}` });
    });
}

function blockGuards({ firewall, direction }: Judging, number: number): Clause[] {
  return familiesOf(firewall.blocks.get(number)).map((family) => ({
    family,
    text: `${addressField(remoteSides[direction], family)} @${blockSet(firewall.handle, number, family)}`,
  }));
}

/** Several lookups behind one condition are a chain of their own. */
function rulesOfGroup(
  table: TableBuilder,
  judging: Judging,
  { step, group }: { readonly step: DecisionStep; readonly group: string },
): Clause[] {
  const guards = groupGuards(judging, { side: remoteSides[judging.direction], group });
  const rules = lookups(step.ofGroup.get(group) ?? [], judging);
  const [only] = rules;
  if (guards.length === 0 || only === undefined) return [];
  if (rules.length === 1) return behind(guards, only);
  const chain = `${chainOf(judging, step)}_${formName({ kind: 'group', group })}`;
  table.chain(chain, rules.map(textOf));
  return behind(guards, { family: null, text: `jump ${chain}` });
}

function chainOf({ firewall, direction }: Judging, step: DecisionStep): string {
  return `${judgeChain(direction, firewall.handle)}_${step.name}`;
}

function textOf(clause: Clause): string {
  return clause.text;
}
