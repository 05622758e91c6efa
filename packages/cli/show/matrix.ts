// Who reaches whom, as letters in rows and columns that are numbered alike.
import type { ReachabilityMatrix } from '@powernode/core/intent/reachability';
import { clean } from './text.ts';

export function matrixText({ nodes, rows, protocol, port, truncated }: ReachabilityMatrix): string {
  const names = new Map(nodes.map(({ id, name }) => [id, clean(name)]));
  const digits = String(rows.length).length;
  const width = Math.max(0, ...names.values().map((name) => name.length));
  const number = (n: number) => String(n).padStart(digits);
  const head = `${' '.repeat(digits + width + 2)}  ${rows.map((_, i) => number(i + 1)).join(' ')}`;
  const lines = rows.map(({ id, verdicts }, i) => {
    const letters = Array.from(clean(verdicts), (letter) => letter.padStart(digits)).join(' ');
    return `${number(i + 1)}  ${(names.get(id) ?? id).padEnd(width)}  ${letters}`;
  });
  const what = port === null ? protocol : `${protocol} port ${port}`;
  const legend = `From rows to columns by ${what}: a allowed, d denied, n no route, - itself.`;
  const more = truncated ? ['There are more than are shown.'] : [];
  return [head, ...lines, '', legend, ...more, ''].join('\n');
}
