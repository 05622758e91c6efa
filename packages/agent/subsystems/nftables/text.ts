// A table of rules as text for nft: as a whole in place of what is there, or what differs from what was loaded before.
// Either is one transaction.

import { evaluatedCounter } from './chains/entrance.ts';
import { activeLeaseSets } from './chains/lease-guard-chains.ts';
import { isSameKind, type NftChain, type NftSet, type Ruleset, tableName } from './model.ts';

/** What there is in the table of that name, whoever made it. */
export interface PresentTable {
  readonly chains: readonly string[];
  readonly sets: readonly { readonly name: string; readonly kind: NftSet['kind'] }[];
}

const table = `inet ${tableName}`;
const kept: ReadonlySet<string> = new Set(Object.values(activeLeaseSets));

/**
 * The whole table in place of what is there. The sets of held addresses stay as they are, with their elements: for a
 * moment without them their connections would be dropped.
 */
export function wholeText(ruleset: Ruleset, present: PresentTable): string {
  const lines = [`table ${table}`];
  for (const name of present.chains) lines.push(`flush chain ${table} ${name}`);
  for (const { kind, name } of present.sets)
    if (!kept.has(name)) lines.push(`delete ${kind} ${table} ${name}`);
  for (const name of present.chains) lines.push(`delete chain ${table} ${name}`);
  lines.push(...block([...ruleset.sets.values()], [...ruleset.chains.values()]));
  return textOf(lines);
}

/** The same when nothing of what is there is to stay, or can. */
export function freshText(ruleset: Ruleset): string {
  // Declared first, so that it may be gone already.
  const lines = [`table ${table}`, `delete table ${table}`];
  return textOf([...lines, ...block([...ruleset.sets.values()], [...ruleset.chains.values()])]);
}

export function removalText(): string {
  return textOf([`table ${table}`, `delete table ${table}`]);
}

/** null: some part cannot be changed where it is. */
export function changeText(before: Ruleset, after: Ruleset): string | null {
  const sets = [...after.sets.values()].filter((set) => before.sets.get(set.name) !== set);
  const chains = [...after.chains.values()].filter(
    (chain) => before.chains.get(chain.name)?.mark !== chain.mark,
  );
  const newSets: NftSet[] = [];
  const elements: string[] = [];
  for (const set of sets) {
    const old = before.sets.get(set.name);
    if (old === undefined) newSets.push(set);
    else if (isSameKind(old, set)) elements.push(...elementChanges(old, set));
    else return null;
  }
  const flushes: string[] = [];
  for (const chain of chains) {
    const old = before.chains.get(chain.name);
    if (old === undefined) continue;
    if (old.base !== chain.base) return null;
    flushes.push(`flush chain ${table} ${chain.name}`);
  }
  const goneSets = [...before.sets.values()].filter((set) => !after.sets.has(set.name));
  const goneChains = [...before.chains.keys()].filter((name) => !after.chains.has(name));
  const lines = [
    ...flushes,
    ...goneChains.map((name) => `flush chain ${table} ${name}`),
    ...(newSets.length + chains.length > 0 ? block(newSets, chains) : []),
    ...elements,
    ...goneSets.map((set) => `delete ${set.kind} ${table} ${set.name}`),
    ...goneChains.map((name) => `delete chain ${table} ${name}`),
  ];
  return textOf(lines);
}

function elementChanges(before: NftSet, after: NftSet): string[] {
  if (before.elements === null || after.elements === null || before.elements === after.elements) return [];
  const gone: string[] = [];
  const added: string[] = [];
  for (const [key, value] of before.elements) {
    if (after.elements.get(key) !== value) gone.push(keyText(after, key));
  }
  for (const [key, value] of after.elements) {
    if (before.elements.get(key) !== value) added.push(elementText(after, key, value));
  }
  const lines: string[] = [];
  if (gone.length > 0) lines.push(`delete element ${table} ${after.name} { ${gone.join(', ')} }`);
  if (added.length > 0) lines.push(`add element ${table} ${after.name} { ${added.join(', ')} }`);
  return lines;
}

function block(sets: readonly NftSet[], chains: readonly NftChain[]): string[] {
  return [
    `table ${table} {`,
    `\tcounter ${evaluatedCounter} {`,
    '\t}',
    ...sets.flatMap(setText),
    ...chains.flatMap(chainText),
    '}',
  ];
}

function setText(set: NftSet): string[] {
  const elements = [...(set.elements ?? [])].map(([key, value]) => elementText(set, key, value));
  return [
    `\t${set.kind} ${set.name} {`,
    `\t\ttype ${set.type}${set.data === null ? '' : ` : ${set.data}`}`,
    ...(set.flags === null ? [] : [`\t\tflags ${set.flags}`]),
    ...(set.counted ? ['\t\tcounter'] : []),
    ...(elements.length === 0 ? [] : [`\t\telements = { ${elements.join(', ')} }`]),
    '\t}',
  ];
}

function chainText(chain: NftChain): string[] {
  return [
    `\tchain ${chain.name} {`,
    ...(chain.base === null ? [] : [`\t\ttype ${chain.base}; policy accept;`]),
    ...chain.rules.map((rule) => `\t\t${rule} comment "powernode ${chain.mark}"`),
    '\t}',
  ];
}

function elementText(set: NftSet, key: string, value: string): string {
  if (set.counted) return `${keyText(set, key)} comment ${quoted(value)}`;
  return set.data === null ? keyText(set, key) : `${keyText(set, key)} : ${value}`;
}

function keyText(set: NftSet, key: string): string {
  return set.type === 'ifname' ? quoted(key) : key;
}

function quoted(text: string): string {
  if (/["\\\n]/.test(text)) throw new Error(`nft cannot be told of ${JSON.stringify(text)}`);
  return `"${text}"`;
}

function textOf(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
