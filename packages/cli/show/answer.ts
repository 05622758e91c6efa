// An action's answer for people: an object, a list, what waits for approval, or what a dry run would change.
import { actionKeyOf, definitionOf } from '@powernode/core/actions/catalogue';
import type { Plan } from '@powernode/core/intent/autonomy';
import type { ReachabilityMatrix } from '@powernode/core/intent/reachability';
import { isRecord } from '@powernode/core/json';
import { objectText, type ShowOptions } from './object.ts';
import { isPlan, planText } from './plan.ts';
import { table } from './table.ts';
import { clean, label } from './text.ts';

type Body = Readonly<Record<string, unknown>>;

export function showAnswer(body: Body, options: ShowOptions): string {
  if (body['pending'] === true) return pendingText(body);
  if (body['has_more'] !== undefined) return listText(body, options);
  if (isMatrix(body['matrix'])) return matrixText(body['matrix']);
  const { dry_run: dryRun, plan, ...objects } = body;
  const heading = dryRun === true ? 'Dry run: nothing was changed. The result would be:\n\n' : '';
  const planned = isRecord(plan) ? `\n${planText(plan as unknown as Plan)}` : '';
  return `${heading}${objectsText(objects, options)}${planned}`;
}

/** The only object of an answer needs no name; several are named. */
function objectsText(objects: Body, options: ShowOptions): string {
  const entries = Object.entries(objects);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined && isRecord(first[1])) return objectText(first[1], options);
  return entries
    .map(([name, value]) =>
      isRecord(value)
        ? `${label(name)}\n${objectText(value, options)}`
        : objectText({ [name]: value }, options),
    )
    .join('\n');
}

function listText(body: Body, options: ShowOptions): string {
  const [noun, rows] = Object.entries(body).find(([, value]) => Array.isArray(value)) ?? ['rows', []];
  const list = rows as Body[];
  if (list.length === 0) return `No ${label(noun)}.\n`;
  const more =
    body['has_more'] === true ? `\nMore results: --cursor ${clean(String(body['next_cursor']))}\n` : '';
  return `${table(noun, list, options.columns)}${more}`;
}

function isMatrix(value: unknown): value is ReachabilityMatrix {
  return isRecord(value) && Array.isArray(value['rows']) && Array.isArray(value['nodes']);
}

function pendingText(body: Body): string {
  const operation = isRecord(body['deferred_operation']) ? body['deferred_operation'] : {};
  const [id, summary, until] = ['id', 'summary', 'expires_at'].map((name) => clean(String(operation[name])));
  const action = actionKeyOf(String(operation['action']));
  const makesSecret = action !== undefined && definitionOf(action).makesSecret;
  return [
    `Waits for approval until ${until}: ${summary}`,
    'Nothing has changed yet. Decide in the console, or with one of:',
    '',
    `  powernode approval decide ${id} --decision approve`,
    `  powernode approval decide ${id} --decision reject`,
    '',
    ...(makesSecret
      ? [
          'Once it is approved, retrieve the secret that it creates, once, with:',
          '',
          `  powernode approval get ${id}`,
          '',
        ]
      : []),
    ...(isRecord(body['plan']) && isPlan(body['plan']) ? [planText(body['plan'] as unknown as Plan)] : []),
  ].join('\n');
}

/** Who reaches whom, as letters in rows and columns that are numbered alike. */
function matrixText({ nodes, rows, protocol, port, truncated }: ReachabilityMatrix): string {
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
