// Lists as tables: the columns that the definition of an action names, as many of them as the terminal is wide.
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { isRecord } from '@powernode/core/json';
import { at, label, valueText } from './text.ts';

type Row = Readonly<Record<string, unknown>>;

/** Lists of one name, such as findings, may be of several actions. */
const columnsByList = Map.groupBy(
  actionKeys.flatMap((key) => Object.entries(definitionOf(key).columns)),
  ([list]) => list,
);

const gap = '  ';
/** Where the width is not known: a pipe, a file. Everything is shown there. */
const unlimited = Number.POSITIVE_INFINITY;

export function table(list: string, rows: readonly Row[], width: number | undefined): string {
  const columns = (chosenColumns(list, rows) ?? plainColumns(rows)).map((path) => {
    const cells = rows.map((row) => valueText(at(row, path)));
    const head = label(path.replace(/\.name$/, '')).toUpperCase();
    return { head, cells, width: Math.max(head.length, ...cells.map((cell) => cell.length)) };
  });
  const shown = fitting(columns, width ?? unlimited);
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => text.padEnd(shown[index]?.width ?? 0))
      .join(gap)
      .trimEnd();
  const lines = rows.map((_, row) => line(shown.map((column) => column.cells[row] ?? '')));
  return `${[line(shown.map((column) => column.head)), ...lines].join('\n')}\n`;
}

/** As many columns from the left as fit; the first always. */
function fitting<C extends { readonly width: number }>(columns: readonly C[], width: number): readonly C[] {
  let used = 0;
  const count = columns.findIndex((column, index) => {
    used += column.width + (index === 0 ? 0 : gap.length);
    return index > 0 && used > width;
  });
  return count === -1 ? columns : columns.slice(0, count);
}

/** The most that the rows have all of. */
function chosenColumns(list: string, rows: readonly Row[]): readonly string[] | undefined {
  const choices = (columnsByList.get(list) ?? []).map(([, columns]) => columns);
  if (choices.length < 2) return choices[0];
  const [first = {}] = rows;
  return choices
    .filter((columns) => columns.every((path) => at(first, path) !== undefined))
    .toSorted((a, b) => b.length - a.length)[0];
}

/** Of lists without chosen columns: what is short and its own, not what every object carries. */
function plainColumns(rows: readonly Row[]): readonly string[] {
  const names = Object.keys(rows[0] ?? {});
  const everywhere = new Set(['account_id', 'created_at', 'updated_at', 'revision']);
  return names.filter((name) => !everywhere.has(name) && rows.every((row) => !isRecord(row[name])));
}
