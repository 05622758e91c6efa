// Values of fields and their names as a person reads them. No elements here.
import { idShape } from '@powernode/core/ids';

/** A value as a person reads it; identifiers by the name of their object. */
export function wordsOf(value: unknown, nameOf: (id: string) => string | null = () => null): string {
  if (value === null || value === undefined || value === '') return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) {
    return value.length === 0 ? 'none' : value.map((one) => wordsOf(one, nameOf)).join(', ');
  }
  if (typeof value === 'object') {
    if (isSide(value))
      return value.kind === 'all' ? 'all' : `${value.kind.replaceAll('_', ' ')} ${value.label}`;
    return Object.values(value)
      .map((one) => wordsOf(one, nameOf))
      .join(' ');
  }
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return idShape.test(text) ? (nameOf(text) ?? `…${text.slice(-12)}`) : text;
}

/** `hold_down_seconds` as "Hold down seconds". */
export function labelOf(parameter: string): string {
  const words = parameter.replace(/_(id|ids)$/, '').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A side of a firewall rule as the platform shows it: its label is the name of what it means. */
function isSide(value: object): value is { readonly kind: string; readonly label: string } {
  const { kind, label } = value as { readonly kind?: unknown; readonly label?: unknown };
  return typeof kind === 'string' && typeof label === 'string';
}
