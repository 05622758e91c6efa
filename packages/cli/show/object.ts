// One object as aligned names and values; lists of objects inside it follow as tables.
import type { Plan } from '@powernode/core/intent/autonomy';
import { isRecord } from '@powernode/core/json';
import { isPlan, planText } from './plan.ts';
import { table } from './table.ts';
import { blockText, isTable, label, valueText } from './text.ts';

export interface ShowOptions {
  /** Width of the terminal, where there is one. */
  readonly columns: number | undefined;
}

export function objectText(object: Readonly<Record<string, unknown>>, options: ShowOptions): string {
  const plain: [string, string][] = [];
  const parts: string[] = [];
  for (const [name, value] of ordered(object)) {
    if (isRecord(value) && isPlan(value)) parts.push(`\n${planText(value as unknown as Plan)}`);
    else if (typeof value === 'string' && value.includes('\n'))
      parts.push(`\n${label(name)}\n${blockText(value)}`);
    else if (isTable(value)) parts.push(`\n${label(name)}\n${table(name, value, options.columns)}`);
    else if (isRecord(value) && Object.keys(value).length > 0) plain.push(...nested(name, value));
    else plain.push([label(name), valueText(value)]);
  }
  const width = Math.max(0, ...plain.map(([name]) => name.length));
  const lines = plain.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  return `${lines.join('\n')}\n${parts.join('')}`;
}

/** What an object has of its own first; what every stored object carries last. */
function ordered(object: Readonly<Record<string, unknown>>): readonly [string, unknown][] {
  const carried = ['account_id', 'created_at', 'updated_at', 'revision'];
  const entries = Object.entries(object);
  return [
    ...entries.filter(([name]) => !carried.includes(name)),
    ...entries.filter(([name]) => carried.includes(name)),
  ];
}

/** `requested_by: { id, name }` as two lines. */
function nested(name: string, value: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(value).flatMap(([inner, part]): [string, string][] =>
    isRecord(part) && Object.keys(part).length > 0
      ? nested(`${name} ${inner}`, part)
      : [[label(`${name} ${inner}`), valueText(part)]],
  );
}
