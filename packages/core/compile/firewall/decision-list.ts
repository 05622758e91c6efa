// The decision list of one direction: rules in lookup tables, tables in steps. The local address of a packet is this
// node's (the destination of ingress, the source of egress), the remote address is the other one.

import type { RuleEntry } from '../../wire/document.ts';
import { lookupKeysOf } from './lookup-keys.ts';
import { makeLookupTable } from './lookup-table.ts';
import type {
  Action,
  DecisionInputs,
  DecisionList,
  DecisionStep,
  Direction,
  Form,
  LookupKey,
  LookupTable,
  Signature,
} from './model.ts';
import { actionRank, breadthOfEverything, rankOf } from './rule-order.ts';

export interface DecisionListParts {
  readonly direction: Direction;
  readonly rules: readonly RuleEntry[];
  /** The groups that addresses of this node and of its devices are in. */
  readonly localGroups: ReadonlySet<string>;
  readonly otherwise: 'accept' | 'drop';
}

/** What stayed the same since `previous` is the same object in both. */
export function makeDecisionList(parts: DecisionListParts, previous: DecisionList | null): DecisionList {
  const { direction, otherwise } = parts;
  const rules = new Set(
    parts.rules.filter((rule) => rule.direction === direction || rule.direction === 'both'),
  );
  const isContinued = previous !== null && isSameSet(previous.inputs.localGroups, parts.localGroups);
  const before = isContinued ? previous.inputs : noOrigin;
  const inputs = updated(before, { direction, rules, localGroups: parts.localGroups });
  const isSame = isContinued && inputs.tables === before.tables;
  const steps = isSame ? previous.steps : stepsOf(inputs.tables.values(), remoteSides[direction]);
  return { direction, steps, otherwise, inputs };
}

export const localSides = { ingress: 'destination', egress: 'source' } as const;
export const remoteSides = { ingress: 'source', egress: 'destination' } as const;

const noOrigin: DecisionInputs = {
  rules: new Set(),
  localGroups: new Set(),
  keys: new Map(),
  tables: new Map(),
};

interface Rules {
  readonly direction: Direction;
  readonly rules: ReadonlySet<RuleEntry>;
  readonly localGroups: ReadonlySet<string>;
}

/** Removes the keys of removed rules from their lookup tables, and adds those of new rules. */
function updated(before: DecisionInputs, now: Rules): DecisionInputs {
  const { rules, localGroups } = now;
  const removedKeys = [...before.rules]
    .filter((rule) => !rules.has(rule))
    .flatMap((rule) => localKeysOf(rule, now));
  const addedKeys = [...rules]
    .filter((rule) => !before.rules.has(rule))
    .flatMap((rule) => localKeysOf(rule, now));
  if (removedKeys.length + addedKeys.length === 0) return { ...before, rules, localGroups };
  const keys = new Map(before.keys);
  const tables = new Map(before.tables);
  const removed = new Set(removedKeys);
  const added = new Map<string, LookupKey[]>();
  for (const { tableId } of removedKeys) added.set(tableId, []);
  for (const key of addedKeys) {
    const list = added.get(key.tableId);
    if (list === undefined) added.set(key.tableId, [key]);
    else list.push(key);
  }
  for (const [id, list] of added) {
    const all = [...(keys.get(id) ?? []).filter((key) => !removed.has(key)), ...list];
    if (all.length === 0) {
      keys.delete(id);
      tables.delete(id);
    } else {
      keys.set(id, all);
      tables.set(id, makeLookupTable(id, all));
    }
  }
  return { rules, localGroups, keys, tables };
}

/** The keys of a rule that can match on this node: without those for groups that no local address is in. */
function localKeysOf(rule: RuleEntry, { direction, localGroups }: Rules): readonly LookupKey[] {
  const local = localSides[direction];
  return lookupKeysOf(rule).filter(({ signature }) => {
    const form = signature[local];
    return form.kind !== 'group' || localGroups.has(form.group);
  });
}

function isSameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one));
}

interface StepBuilder {
  readonly name: string;
  /** Its rank, breadth and action, in this order of weight. */
  readonly order: readonly number[];
  readonly action: Action;
  readonly common: LookupTable[];
  readonly ofGroup: Map<string, LookupTable[]>;
}

function stepsOf(tables: Iterable<LookupTable>, remote: 'source' | 'destination'): DecisionStep[] {
  const steps = new Map<string, StepBuilder>();
  for (const table of [...tables].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const { signature } = table;
    const name = `${tierOf(signature.source)}_${breadthText(signature.breadth)}_${signature.action}`;
    const step = steps.get(name) ?? newStep(name, signature);
    steps.set(name, step);
    const form = signature[remote];
    if (form.kind !== 'group') {
      step.common.push(table);
      continue;
    }
    const list = step.ofGroup.get(form.group);
    if (list === undefined) step.ofGroup.set(form.group, [table]);
    else list.push(table);
  }
  return [...steps.values()].sort((a, b) => compareOrders(a.order, b.order));
}

function newStep(name: string, { source, breadth, action }: Signature): StepBuilder {
  const order = [rankOf(sideOf(source)), breadth, actionRank[action]];
  return { name, order, action, common: [], ofGroup: new Map() };
}

function compareOrders(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((one, i) => one !== b[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

function breadthText(breadth: number): string {
  return breadth === breadthOfEverything ? 'all' : String(breadth);
}

function tierOf(form: Form): string {
  return form.kind === 'net' ? `net${form.length}` : form.kind;
}

/** A side of the form, of whatever value: its rank does not depend on that. */
function sideOf(form: Form): RuleEntry['from'] {
  switch (form.kind) {
    case 'any':
      return { kind: 'all' };
    case 'host':
      return { kind: 'host', addresses: [] };
    case 'net':
      return { kind: 'cidr', cidr: `/${form.length}` };
    case 'group':
      return form;
  }
}
