// Test support: what actions say of the paths to a prefix (pathsTo), and what a table has, as texts that can be compared. A
// table may have a path of one announcer by several neighbors; an action says it once.
import { pathsTo } from './arrivals.ts';
import { announcerCommunity } from './identity.ts';
import { type NaiveNetwork, reflectors } from './naive.fixture.ts';
import { asNumber, virtualIpPrefixes } from './random-routing.fixture.ts';

/** A path of a table, as tableOf writes it. */
interface TablePath {
  readonly neighbor: string | null;
  readonly originator_id: string | null;
  readonly cluster_length: number;
  readonly local_pref: number;
  readonly med: number;
  readonly as_path: string;
  readonly origin: string;
  readonly communities: string;
  readonly announcer: string | null;
  readonly next_hop: string | null;
  readonly best: boolean;
}

/** By pathsTo. */
export interface SaidPaths {
  /** Of each announcer whose path can be used. */
  readonly paths: readonly string[];
  /** Those that are used, of a virtual IP all that are as good. */
  readonly best: readonly string[];
}

export function saidPaths(of: NaiveNetwork, address: string, prefix: string): SaidPaths {
  const subnet = of.routings.get(address)?.subnets.find((one) => one.prefix === prefix);
  if (subnet === undefined) throw new Error(`nobody knows ${prefix}`);
  const network = {
    ...{ asNumber, policies: of.policies, reflectors },
    ...{ isUp: () => true, isReached: () => true },
  };
  const isVirtualIp = virtualIpPrefixes.includes(prefix);
  const found = pathsTo(network, isVirtualIp ? { ...subnet, virtualIpId: 'v' } : subnet, address);
  const shown = found.flatMap(({ announcer, sender, attributes, best }) => {
    if (attributes === null) return [];
    const { local_pref, med, origin, next_hop } = attributes;
    const path = {
      ...{ local_pref, med, as_path: attributes.as_path.join(' '), origin },
      ...{
        communities: attributes.communities.join(' '),
        announcer: announcerCommunity(asNumber, announcer),
      },
      next_hop: sender === null ? null : next_hop,
    };
    return [{ text: textOf(path), best }];
  });
  return {
    paths: shown.map(({ text }) => text).sort(),
    best: shown.flatMap(({ text, best }) => (best ? text : [])).sort(),
  };
}

/** What of `said` a table does not have; null: nothing. `asGood`: the paths that the table says are as good as its best. */
export function contradiction(
  said: SaidPaths,
  table: readonly string[],
  { prefix, asGood }: { readonly prefix: string; readonly asGood: readonly string[] },
): unknown {
  const rows = table.map((text) => JSON.parse(text) as TablePath);
  const has = new Set(rows.map(textOf));
  const lacks = said.paths.filter((one) => !has.has(one));
  const announcersOf = (texts: Iterable<string>) =>
    [...new Set([...texts].map((text) => (JSON.parse(text) as TablePath).announcer ?? ''))].sort();
  const unsaid = announcersOf(has).filter((one) => !announcersOf(said.paths).includes(one));
  const isVirtualIp = virtualIpPrefixes.includes(prefix);
  // Of several paths to one next hop bgpd counts now one and now all: packets go there alike.
  const used = isVirtualIp ? nextHopsOf(asGood) : rows.filter(({ best }) => best).map(textOf);
  const saidUsed = isVirtualIp ? nextHopsOf(said.best) : said.best;
  const isSame = JSON.stringify([...new Set(used)]) === JSON.stringify(saidUsed);
  return lacks.length === 0 && unsaid.length === 0 && isSame
    ? null
    : { prefix, lacks, unsaid, used, saidUsed, table };
}

function nextHopsOf(texts: readonly string[]): string[] {
  return [...new Set(texts.map((text) => (JSON.parse(text) as TablePath).next_hop ?? ''))].sort();
}

/** The best path of a naive table, and those to other next hops that nothing but a tie-break tells from it. */
export function asGoodAsBest(table: readonly string[]): string[] {
  const rows = table.map((text) => ({ text, path: JSON.parse(text) as TablePath }));
  const best = rows.find(({ path }) => path.best)?.path;
  const rankOf = ({ neighbor, local_pref, as_path, origin, med }: TablePath) =>
    JSON.stringify([neighbor === null, local_pref, as_path, origin, med]);
  if (best === undefined) return [];
  const isBeside = (path: TablePath) => rankOf(path) === rankOf(best) && path.next_hop !== best.next_hop;
  return rows.filter(({ path }) => path.best || isBeside(path)).map(({ text }) => text);
}

function textOf({
  local_pref,
  med,
  as_path,
  origin,
  communities,
  announcer,
  next_hop,
}: Omit<TablePath, 'neighbor' | 'originator_id' | 'cluster_length' | 'best'>): string {
  return JSON.stringify({ local_pref, med, as_path, origin, communities, announcer, next_hop });
}
