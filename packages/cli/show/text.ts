// Values as text for a terminal. What comes from outside can hold control characters; none of them gets through.
import { isRecord } from '@powernode/core/json';

const nothing = '-';

export function valueText(value: unknown): string {
  if (value === null || value === undefined || value === '') return nothing;
  if (Array.isArray(value)) return value.length === 0 ? nothing : value.map(valueText).join(', ');
  return clean(typeof value === 'string' ? value : JSON.stringify(value));
}

/** Escape sequences of a terminal could rewrite what stands above. */
export function clean(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '\u{fffd}');
}

/** A text of several lines, indented. */
export function blockText(text: string): string {
  const lines = text.trimEnd().replaceAll('\t', '  ').split('\n');
  return lines.map((line) => `  ${clean(line)}\n`).join('');
}

/** `rx_bytes` as `rx bytes`. */
export function label(name: string): string {
  return clean(name.replaceAll('_', ' '));
}

/** `a.b` of a row. */
export function at(row: Readonly<Record<string, unknown>>, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (isRecord(value) ? value[name] : undefined), row);
}

export function isTable(value: unknown): value is Record<string, unknown>[] {
  return Array.isArray(value) && value.length > 0 && value.every(isRecord);
}
