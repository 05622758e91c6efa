// The cache of what the platform answered, and how it is told that something changed.
import { CallError } from '@powernode/client/call-error';
import * as consoleLimits from '@powernode/core/limits/console';
import * as requestsLimits from '@powernode/core/limits/requests';
import { type InfiniteData, type Query, QueryClient } from '@tanstack/react-query';
import { type ListPage, type Noun, patchPages, type RowChange } from '../api/nouns.ts';
import { connection } from './connection.ts';

/** A failure that may pass by itself; refusals do not. The line being lost is waited out, not counted. */
function worthRetrying(failures: number, error: Error): boolean {
  return error instanceof CallError && error.problem.status >= 500 && !error.unreachable && failures < 2;
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: 'always',
      staleTime: consoleLimits.consolePollBusyMs,
      retry: worthRetrying,
      retryDelay: consoleLimits.consolePollBusyMs,
    },
    mutations: { networkMode: 'always', retry: false },
  },
});

/** A matrix grows with the square of its nodes. */
const matrixWeight = 3;

type Pages = InfiniteData<ListPage>;

function pagesOf(query: Query): readonly ListPage[] {
  const data = query.state.data as Partial<Pages> | undefined;
  return data?.pages ?? [];
}

interface LargeAnswers {
  readonly topology?: { readonly nodes: readonly unknown[] };
  readonly matrix?: { readonly nodes: readonly unknown[] };
  /** Of an audit, which compares all of them with each other. */
  readonly rules_count?: number;
  readonly statements_count?: number;
  readonly static_routes?: readonly unknown[];
  readonly bgp_routes?: readonly unknown[];
}

/** Lists of several pages cost many requests to read again; the topology, the reachability and the routes of a large
 * network are large answers, and an audit of many rules or statements is much work. */
export function isLong(query: Query): boolean {
  const answer = (query.state.data ?? {}) as LargeAnswers;
  const { topology, matrix, static_routes: fixed = [], bgp_routes: chosen = [] } = answer;
  const nodes = Math.max(topology?.nodes.length ?? 0, (matrix?.nodes.length ?? 0) * matrixWeight);
  const { rules_count: rules = 0, statements_count: statements = 0 } = answer;
  return (
    pagesOf(query).length > 1 ||
    nodes > consoleLimits.consoleTopologyNodesMax ||
    Math.max(rules, statements, fixed.length + chosen.length) > requestsLimits.pageSizeMax
  );
}

/** Puts a changed row where it stands, in every list that shows it. */
export function patchLists(change: RowChange): void {
  for (const query of queryClient.getQueryCache().findAll({ queryKey: [change.noun, 'list'] })) {
    const data = query.state.data as Pages | undefined;
    if (data === undefined) continue;
    const filters = (query.queryKey[2] ?? {}) as Record<string, unknown>;
    const pages = patchPages(data.pages, change, filters);
    if (pages !== data.pages) queryClient.setQueryData(query.queryKey, { ...data, pages: [...pages] });
  }
}

/** Reads again what is on the screen of these nouns; the rest is read when it is next looked at. */
export function refresh(nouns: ReadonlySet<Noun>, which: 'short' | 'long'): void {
  void queryClient.invalidateQueries({
    predicate: (query) => nouns.has(query.queryKey[0] as Noun) && isLong(query) === (which === 'long'),
  });
}

export function refreshAll(): void {
  void queryClient.invalidateQueries();
}

/** The same, but leaves alone what is being read for the first time. */
export function refreshFinished(): void {
  void queryClient.invalidateQueries({ predicate: (query) => query.state.status !== 'pending' });
}

/** How often to read again what no event announces; `busy` is null for what events tell all about. */
export function pollInterval(query: Query, busy: boolean | null): number | false {
  const { state } = connection.get();
  if (state === 'lost' || (busy === null && state !== 'polling')) return false;
  if (isLong(query)) return consoleLimits.consolePollLongMs;
  return busy === true ? consoleLimits.consolePollBusyMs : consoleLimits.consolePollIdleMs;
}
