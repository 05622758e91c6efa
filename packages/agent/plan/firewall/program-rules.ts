// The program of one direction of a network as rules, in the order in which packets are looked up.
import { blockNumberOf } from '@powernode/core/compile/firewall/groups';
import type { Bucket, Step } from '@powernode/core/compile/firewall/model';
import { farSides } from '@powernode/core/compile/firewall/program';
import { blockSet, familiesOf } from './group-sets.ts';
import { addressField, behind, type Clause, groupGuards, lookupsOf, type Place, setOf } from './lookups.ts';
import { formName, judgeChain } from './names.ts';
import type { TableBuilder } from './table-builder.ts';

/** As many groups are looked up one by one; of more, those of a block only when the packet's far side is in it. */
const groupsOneByOneMax = 8;

export function hasBlocks({ firewall, direction }: Place): boolean {
  return firewall[direction].steps.some((step) => step.ofGroup.size > groupsOneByOneMax);
}

/** Adds the sets and chains that they need. */
export function programRules(table: TableBuilder, place: Place): string[] {
  const program = place.firewall[place.direction];
  for (const bucket of program.origin.buckets.values()) table.add(setOf(bucket, place));
  const rules = program.steps.flatMap((step) => [
    ...lookups(step.common, place),
    ...groupRules(table, place, step),
  ]);
  return [...rules.map(textOf), program.otherwise];
}

function lookups(buckets: readonly Bucket[], place: Place): Clause[] {
  return buckets.flatMap((bucket) => lookupsOf(bucket, place));
}

function groupRules(table: TableBuilder, place: Place, step: Step): Clause[] {
  const names = [...step.ofGroup.keys()].sort();
  if (names.length <= groupsOneByOneMax)
    return names.flatMap((group) => rulesOfGroup(table, place, { step, group }));
  const blocks = new Map<number, string[]>();
  for (const group of names) {
    const number = blockNumberOf(group);
    blocks.set(number, [...(blocks.get(number) ?? []), group]);
  }
  return [...blocks]
    .sort(([a], [b]) => a - b)
    .flatMap(([number, groups]) => {
      const chain = `${chainOf(place, step)}_block${number}`;
      const rules = groups.flatMap((group) => rulesOfGroup(table, place, { step, group }));
      table.chain(chain, rules.map(textOf));
      return behind(blockGuards(place, number), { family: null, text: `jump ${chain}` });
    });
}

function blockGuards({ firewall, direction }: Place, number: number): Clause[] {
  return familiesOf(firewall.blocks.get(number)).map((family) => ({
    family,
    text: `${addressField(farSides[direction], family)} @${blockSet(firewall.handle, number, family)}`,
  }));
}

/** Several lookups behind one condition are a chain of their own. */
function rulesOfGroup(
  table: TableBuilder,
  place: Place,
  { step, group }: { readonly step: Step; readonly group: string },
): Clause[] {
  const guards = groupGuards(place, { side: farSides[place.direction], group });
  const rules = lookups(step.ofGroup.get(group) ?? [], place);
  const [only] = rules;
  if (guards.length === 0 || only === undefined) return [];
  if (rules.length === 1) return behind(guards, only);
  const chain = `${chainOf(place, step)}_${formName({ kind: 'group', group })}`;
  table.chain(chain, rules.map(textOf));
  return behind(guards, { family: null, text: `jump ${chain}` });
}

function chainOf({ firewall, direction }: Place, step: Step): string {
  return `${judgeChain(direction, firewall.handle)}_${step.name}`;
}

function textOf(clause: Clause): string {
  return clause.text;
}
