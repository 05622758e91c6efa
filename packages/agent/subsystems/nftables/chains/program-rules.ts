// The list of one direction of a network as rules, in the order in which packets are looked up.

import { remoteSides } from '@powernode/core/compile/firewall/decision-list';
import { blockNumberOf } from '@powernode/core/compile/firewall/groups';
import type { DecisionStep, LookupTable } from '@powernode/core/compile/firewall/model';
import { blockSet, familiesOf } from './group-sets.ts';
import {
  addressField,
  behind,
  type ChainContext,
  type Clause,
  groupGuards,
  lookupsOf,
  setOf,
} from './lookups.ts';
import { evaluationChain, formName } from './names.ts';
import type { TableBuilder } from './table-builder.ts';

/**
 * As many groups are looked up one by one; of more, those of a block only when the packet's remote address is in it.
 */
const groupsOneByOneMax = 8;

export function hasBlocks({ firewall, direction }: ChainContext): boolean {
  return firewall[direction].steps.some((step) => step.ofGroup.size > groupsOneByOneMax);
}

/** Adds the sets and chains that they need. */
export function programRules(table: TableBuilder, context: ChainContext): string[] {
  const list = context.firewall[context.direction];
  for (const lookupTable of list.inputs.tables.values()) table.add(setOf(lookupTable, context));
  const rules = list.steps.flatMap((step) => [
    ...lookups(step.common, context),
    ...groupRules(table, context, step),
  ]);
  return [...rules.map(textOf), list.otherwise];
}

function lookups(tables: readonly LookupTable[], context: ChainContext): Clause[] {
  return tables.flatMap((lookupTable) => lookupsOf(lookupTable, context));
}

function groupRules(table: TableBuilder, context: ChainContext, step: DecisionStep): Clause[] {
  const names = [...step.ofGroup.keys()].sort();
  if (names.length <= groupsOneByOneMax)
    return names.flatMap((group) => rulesOfGroup(table, context, { step, group }));
  const blocks = new Map<number, string[]>();
  for (const group of names) {
    const number = blockNumberOf(group);
    blocks.set(number, [...(blocks.get(number) ?? []), group]);
  }
  return [...blocks]
    .sort(([a], [b]) => a - b)
    .flatMap(([number, groups]) => {
      const chain = `${chainOf(context, step)}_block${number}`;
      const rules = groups.flatMap((group) => rulesOfGroup(table, context, { step, group }));
      table.chain(chain, rules.map(textOf));
      return behind(blockGuards(context, number), { family: null, text: `jump ${chain}` });
    });
}

function blockGuards({ firewall, direction }: ChainContext, number: number): Clause[] {
  return familiesOf(firewall.blocks.get(number)).map((family) => ({
    family,
    text: `${addressField(remoteSides[direction], family)} @${blockSet(firewall.handle, number, family)}`,
  }));
}

/** Several lookups behind one condition are a chain of their own. */
function rulesOfGroup(
  table: TableBuilder,
  context: ChainContext,
  { step, group }: { readonly step: DecisionStep; readonly group: string },
): Clause[] {
  const guards = groupGuards(context, { side: remoteSides[context.direction], group });
  const rules = lookups(step.ofGroup.get(group) ?? [], context);
  const [only] = rules;
  if (guards.length === 0 || only === undefined) return [];
  if (rules.length === 1) return behind(guards, only);
  const chain = `${chainOf(context, step)}_${formName({ kind: 'group', group })}`;
  table.chain(chain, rules.map(textOf));
  return behind(guards, { family: null, text: `jump ${chain}` });
}

function chainOf({ firewall, direction }: ChainContext, step: DecisionStep): string {
  return `${evaluationChain(direction, firewall.handle)}_${step.name}`;
}

function textOf(clause: Clause): string {
  return clause.text;
}
