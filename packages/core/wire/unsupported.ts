// The sentence of the problem `unsupported`: said by an agent of entries that it was sent and does not know, and by a
// platform of those that it does not send to an agent that would not know them.

const kindsNamed = 8;

/** `keys`: of those entries, which begin with their kind. null: there are none. */
export function unsupportedDetail(keys: Iterable<string>): string | null {
  const counts = new Map<string, number>();
  for (const key of keys) {
    const kind = key.split('/', 1)[0] ?? key;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  if (counts.size === 0) return null;
  const kinds = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const named = kinds.slice(0, kindsNamed).map(([kind, count]) => `${kind} (${count})`);
  const more = kinds.length > kindsNamed ? `, and ${kinds.length - kindsNamed} kinds more` : '';
  return `The agent does not know these entries of its document, which are not applied: ${named.join(', ')}${more}.`;
}
