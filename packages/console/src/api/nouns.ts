// What the console keeps of the platform, by noun, and which of it an event or a change concerns. Lists and the kinds
// of their objects follow from the catalogue of actions. No network here.
import type { PeerStatus } from '@powernode/core/intent/peer';
import { type ActionFacts, actionFacts, type ListName } from './actions.ts';
import { type Event, turnOf } from './event.ts';

/** A list of the API, or what the platform works out of a whole network. */
export type Noun =
  | ListName
  | 'account_bgp'
  | 'findings'
  | 'reachability'
  | 'route_findings'
  | 'routes'
  | 'topology';

/** A kind of object that actions change: how events and categories of it begin, and the list that shows it. */
interface Kind {
  /** `sdwan.port_mapping`. */
  readonly prefix: string;
  readonly list: ListName;
}

const kinds = kindsOf(Object.values<ActionFacts>(actionFacts));

function kindsOf(facts: readonly ActionFacts[]): readonly Kind[] {
  const lists = new Map(facts.flatMap(({ object, list }) => (list === null ? [] : [[object, list]])));
  const found = facts.flatMap(({ object, category }): [string, ListName][] => {
    const list = lists.get(object);
    if (list === undefined || category === null) return [];
    const prefix = `${category.split('.')[0]}.${object}`;
    return category.startsWith(prefix) ? [[prefix, list]] : [];
  });
  return Array.from(new Map(found), ([prefix, list]) => ({ prefix, list }));
}

const overlay: readonly Noun[] = ['networks', 'peers', 'topology', 'instances'];
/** Follows from rules, addresses, port mappings and who is there. */
const affectedByRules: readonly Noun[] = ['firewall_rules', 'findings', 'reachability'];
/** Follows from policies, prefixes behind peers, sessions and who is reached. */
const affectedByRouting: readonly Noun[] = ['sessions', 'routes', 'route_findings'];
const ofNetworks: readonly Noun[] = [
  ...new Set([
    ...overlay,
    ...kinds.filter(({ prefix }) => prefix.startsWith('sdwan.')).map(({ list }) => list),
    ...affectedByRules,
    ...affectedByRouting,
  ]),
];

/** What shows objects of a list too, beside that list. */
const shownBy: Readonly<Partial<Record<ListName, readonly Noun[]>>> = {
  access_grants: ['user_devices'],
  firewall_rules: affectedByRules,
  instances: [...ofNetworks, 'join_tokens'],
  networks: ofNetworks,
  operators: ['api_tokens'],
  peers: [...ofNetworks, 'subnet_advertisements'],
  port_mappings: affectedByRules,
  route_policies: ['routes', 'route_findings'],
  user_devices: ['access_grants', ...affectedByRules],
  virtual_ips: ['port_mappings', ...affectedByRules],
};

const peerStatuses: readonly PeerStatus[] = ['handshake_pending', 'handshaking', 'connected', 'silent'];

const ofPresence: readonly Noun[] = [...overlay, 'virtual_ips', 'reachability', 'sessions', 'routes'];

/** By the beginning of an event's kind or of an action's category; the first that fits counts. */
const concerned: readonly (readonly [prefix: string, nouns: readonly Noun[]])[] = [
  // What is observed of a peer changes nothing of what nodes are given.
  ...peerStatuses.map((status) => [`sdwan.peer.${status}`, [...overlay, 'virtual_ips']] as const),
  // Whether it is reached: that changes who reaches whom, and what a machine shows of its networks.
  ['sdwan.peer.unreachable', ofPresence],
  ['sdwan.peer.reachable', ofPresence],
  ['system.instance.offline', ofPresence],
  ['system.instance.online', ofPresence],
  ['sdwan.bgp.session', ['sessions', 'routes']],
  ['sdwan.account_bgp', ['account_bgp', ...affectedByRouting]],
  ...kinds.map(({ prefix, list }) => [prefix, [...new Set([list, ...(shownBy[list] ?? [])])]] as const),
  ['sdwan.', ofNetworks],
  ['system.sdwan_', ofNetworks],
];
/** Whatever is done to a network or a machine may be a numbered change. */
const withChanges: typeof concerned = concerned.map(
  ([prefix, nouns]) =>
    [
      prefix,
      prefix.startsWith('sdwan.') || prefix === 'system.instance' ? [...nouns, 'changes'] : nouns,
    ] as const,
);

const everything: readonly Noun[] = [
  ...new Set([...ofNetworks, 'changes' as const, ...kinds.map(({ list }) => list)]),
];

/** What is worked out of a whole network, and stands in no row that could be patched. */
export const workedOut: ReadonlySet<Noun> = new Set(['findings', 'reachability', 'route_findings', 'routes']);

/** The nouns that may look different after something of this kind. A kind that is unknown here concerns all. */
export function nounsOf(kind: string): readonly Noun[] {
  return withChanges.find(([prefix]) => kind.startsWith(prefix))?.[1] ?? everything;
}

/** Events of these do not have the row as its list shows it. */
const notInEvents: ReadonlySet<Noun> = new Set(['approvals', 'operations', 'policies']);

/** The list in which the object of an event stands as a whole, so that its row can be patched at once. */
const rowOf: ReadonlyMap<string, ListName> = new Map(
  kinds.filter(({ list }) => !notInEvents.has(list)).map(({ prefix, list }) => [prefix, list]),
);

export interface RowChange {
  readonly noun: Noun;
  readonly id: string;
  /** null: the row is gone. */
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly isNew: boolean;
}

/** The row that an event changes, when the event says what there is to say. */
export function rowChangeOf(event: Event): RowChange | null {
  return peerTransitionOf(event) ?? objectChangeOf(event);
}

/** What nodes observe of a peer comes without the whole peer; there are many of these in a large fleet. */
function peerTransitionOf({ kind, payload }: Event): RowChange | null {
  const status = peerStatuses.find((one) => kind === `sdwan.peer.${one}`);
  const { peer_id: id, last_handshake_at } = payload;
  if (status === undefined || typeof id !== 'string') return null;
  const handshake = typeof last_handshake_at === 'string' ? { last_handshake_at } : {};
  return { noun: 'peers', id, after: { id, status, ...handshake }, isNew: false };
}

function objectChangeOf(event: Event): RowChange | null {
  const noun = rowOf.get(event.kind.split('.').slice(0, 2).join('.'));
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

/** Lists whose first row is the newest. */
const newestFirst: ReadonlySet<Noun> = new Set(['access_grants', 'join_tokens']);

/** A new row goes to where the list would have it: to its beginning, or to its end if that is there. A list shows it
 * only when it passes the filters. */
function addRow(
  pages: readonly ListPage[],
  change: RowChange,
  filters: Readonly<Record<string, unknown>>,
): readonly ListPage[] {
  const { after } = change;
  if (after === null || !change.isNew) return pages;
  if (!Object.entries(filters).every(([name, value]) => after[name] === value)) return pages;
  const [first, last] = [pages.at(0), pages.at(-1)];
  if (first === undefined || last === undefined) return pages;
  if (newestFirst.has(change.noun)) {
    const rows = [after, ...rowsOf(first, change.noun)];
    return [{ ...first, [change.noun]: rows, count: rows.length }, ...pages.slice(1)];
  }
  if (last['has_more'] === true) return pages;
  const rows = [...rowsOf(last, change.noun), after];
  return [...pages.slice(0, -1), { ...last, [change.noun]: rows, count: rows.length }];
}

export function rowsOf(page: ListPage, noun: Noun): readonly Row[] {
  const rows = page[noun];
  return Array.isArray(rows) ? (rows as Row[]) : [];
}
