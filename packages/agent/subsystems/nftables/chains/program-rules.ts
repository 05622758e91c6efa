// The program of one direction of a network as rules, in the order in which packets are looked up.
import { blockNumberOf } from '@powernode/core/compile/firewall/groups';
import type { Bucket, Step } from '@powernode/core/compile/firewall/model';
import { farSides } from '@powernode/core/compile/firewall/program';
import { blockSet, familiesOf } from './group-sets.ts';
import { addressField, behind, type Clause, groupGuards, type Judging, lookupsOf, setOf } from './lookups.ts';
import { formName, judgeChain } from './names.ts';
import type { TableBuilder } from './table-builder.ts';

/** As many groups are looked up one by one; of more, those of a block only when the packet's far side is in it. */
const groupsOneByOneMax = 8;

export function hasBlocks({ firewall, direction }: Judging): boolean {
  return firewall[direction].steps.some((step) => step.ofGroup.size > groupsOneByOneMax);
}

/** Adds the sets and chains that they need. */
export function programRules(table: TableBuilder, judging: Judging): string[] {
  const program = judging.firewall[judging.direction];
  for (const bucket of program.origin.buckets.values()) table.add(setOf(bucket, judging));
  const rules = program.steps.flatMap((step) => [
    ...lookups(step.common, judging),
    ...groupRules(table, judging, step),
  ]);
  return [...rules.map(textOf), program.otherwise];
}

function lookups(buckets: readonly Bucket[], judging: Judging): Clause[] {
  return buckets.flatMap((bucket) => lookupsOf(bucket, judging));
}

function groupRules(table: TableBuilder, judging: Judging, step: Step): Clause[] {
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
    text: `${addressField(farSides[direction], family)} @${blockSet(firewall.handle, number, family)}`,
  }));
}

/** Several lookups behind one condition are a chain of their own. */
function rulesOfGroup(
  table: TableBuilder,
  judging: Judging,
  { step, group }: { readonly step: Step; readonly group: string },
): Clause[] {
  const guards = groupGuards(judging, { side: farSides[judging.direction], group });
  const rules = lookups(step.ofGroup.get(group) ?? [], judging);
  const [only] = rules;
  if (guards.length === 0 || only === undefined) return [];
  if (rules.length === 1) return behind(guards, only);
  const chain = `${chainOf(judging, step)}_${formName({ kind: 'group', group })}`;
  table.chain(chain, rules.map(textOf));
  return behind(guards, { family: null, text: `jump ${chain}` });
}

function chainOf({ firewall, direction }: Judging, step: Step): string {
  return `${judgeChain(direction, firewall.handle)}_${step.name}`;
}

function textOf(clause: Clause): string {
  return clause.text;
}
