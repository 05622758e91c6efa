// What the console keeps of the platform, by noun, and which of it an event or a change concerns. No network here.
import type { Event } from './event.ts';
import { turnOf } from './event.ts';

export type Noun =
  | 'accounts'
  | 'api_tokens'
  | 'approvals'
  | 'events'
  | 'instances'
  | 'join_tokens'
  | 'networks'
  | 'operators'
  | 'peers'
  | 'policies'
  | 'topology';

const overlay: readonly Noun[] = ['networks', 'peers', 'topology', 'instances'];

/** By the beginning of an event's kind or of an action's category; the first that fits counts. */
const concerned: readonly (readonly [prefix: string, nouns: readonly Noun[]])[] = [
  ['sdwan.', overlay],
  ['system.instance', [...overlay, 'join_tokens']],
  ['system.join_token', ['join_tokens']],
  ['system.approval', ['approvals']],
  ['system.policy', ['policies']],
  ['system.operator', ['operators', 'api_tokens']],
  ['system.api_token', ['api_tokens']],
  ['system.account', ['accounts']],
];
const everything: readonly Noun[] = [
  ...overlay,
  'accounts',
  'api_tokens',
  'approvals',
  'join_tokens',
  'operators',
  'policies',
];

/** The nouns that may look different after something of this kind. A kind that is unknown here concerns all. */
export function nounsOf(kind: string): readonly Noun[] {
  return concerned.find(([prefix]) => kind.startsWith(prefix))?.[1] ?? everything;
}

/** The list in which the object of an event stands as a whole, so that its row can be patched at once. */
const rowOf: Readonly<Record<string, Noun>> = {
  'sdwan.network': 'networks',
  'sdwan.peer': 'peers',
  'system.instance': 'instances',
  'system.join_token': 'join_tokens',
  'system.operator': 'operators',
  'system.api_token': 'api_tokens',
  'system.account': 'accounts',
};

export interface RowChange {
  readonly noun: Noun;
  readonly id: string;
  /** null: the row is gone. */
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly isNew: boolean;
}

/** The row that an event changes, when the event says all of it. */
export function rowChangeOf(event: Event): RowChange | null {
  const noun = rowOf[event.kind.split('.').slice(0, 2).join('.')];
  const { before, after } = turnOf(event);
  const id = (after ?? before)?.['id'];
  if (noun === undefined || typeof id !== 'string') return null;
  return { noun, id, after, isNew: before === null };
}

/** One page of a list as the API answers it, with its rows under the noun. */
export type ListPage = Readonly<Record<string, unknown>>;
type Row = Readonly<Record<string, unknown>>;

/** The pages with the change in them; the same object when they do not show it. */
export function patchPages(
  pages: readonly ListPage[],
  change: RowChange,
  filters: Readonly<Record<string, unknown>>,
): readonly ListPage[] {
  const at = pages.findIndex((page) => rowsOf(page, change.noun).some((row) => row['id'] === change.id));
  if (at < 0) return addRow(pages, change, filters);
  return pages.map((page, i) => (i === at ? patchPage(page, change) : page));
}

function patchPage(page: ListPage, change: RowChange): ListPage {
  const rows = rowsOf(page, change.noun);
  const { after } = change;
  const next =
    after === null
      ? rows.filter((row) => row['id'] !== change.id)
      : rows.map((row) => (row['id'] === change.id ? { ...row, ...after } : row));
  return { ...page, [change.noun]: next, count: next.length };
}

/** A new row goes to the end of a list that is there as a whole and whose filters it passes. */
function addRow(
  pages: readonly ListPage[],
  change: RowChange,
  filters: Readonly<Record<string, unknown>>,
): readonly ListPage[] {
  const { after } = change;
  const last = pages.at(-1);
  if (after === null || !change.isNew || last === undefined || last['has_more'] === true) return pages;
  const passes = Object.entries(filters).every(([name, value]) => after[name] === value);
  if (!passes) return pages;
  const rows = [...rowsOf(last, change.noun), after];
  return [...pages.slice(0, -1), { ...last, [change.noun]: rows, count: rows.length }];
}

export function rowsOf(page: ListPage, noun: Noun): readonly Row[] {
  const rows = page[noun];
  return Array.isArray(rows) ? (rows as Row[]) : [];
}
