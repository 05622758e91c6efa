// Who reaches whom, as letters in rows and columns that are numbered alike.
import type { ReachabilityMatrix } from '@powernode/core/intent/reachability';
import { clean } from './text.ts';

export function matrixText({ nodes, rows, protocol, port, truncated }: ReachabilityMatrix): string {
  const numbered = nodes.map(({ id, name }, i) => ({ id, number: i + 1, name: clean(name) }));
  const known = new Map(numbered.map((node) => [node.id, node]));
  const digits = String(nodes.length).length;
  const width = Math.max(0, ...numbered.map(({ name }) => name.length));
  const cell = (text: string | number) => String(text).padStart(digits);
  const line = (of: { readonly id: string; readonly cells: readonly (string | number)[] }) => {
    const { number = '', name = of.id } = known.get(of.id) ?? {};
    return `${cell(number)}  ${name.padEnd(width)}  ${of.cells.map(cell).join(' ')}`.trimEnd();
  };
  const head = line({ id: '', cells: numbered.map(({ number }) => number) });
  const lines = rows.map(({ id, verdicts }) => line({ id, cells: Array.from(clean(verdicts)) }));
  // Nobody sends from a virtual IP, so it is a column only.
  const senders = new Set(rows.map(({ id }) => id));
  const others = numbered.filter(({ id }) => !senders.has(id)).map(({ id }) => line({ id, cells: [] }));
  const what = port === null ? protocol : `${protocol} port ${port}`;
  const legend = `From rows to columns by ${what}: a allowed, d denied, n no route, u allowed but unreachable, - itself.`;
  const more = truncated ? ['Not all are shown.'] : [];
  return [head, ...lines, ...others, '', legend, ...more, ''].join('\n');
}
