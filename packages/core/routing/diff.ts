// From what bgpd runs to what it should: the lines for its configuration mode, none when it runs that already. Lists and
// route-maps are named by their lines, so they are written before sessions refer to them and removed afterwards; a
// session changes from one policy to another in one line, without a reset. Prefixes that are announced no more are
// withdrawn before policies change, new ones are announced behind that. So nothing passes at any time that neither the
// old nor the new configuration permits.
import { type ConfigLine, closing, commonDepth, opensContext } from './config-lines.ts';

export function diffConfig(running: readonly ConfigLine[], wanted: readonly ConfigLine[]): string[] {
  const lost = lostNeighbors(running, wanted);
  // With a neighbor go all lines about it, so those that are wanted of it again are new.
  const left = running.filter(({ line }) => !lost.has(neighborIn(line) ?? ''));
  const has = keysOf(left);
  const wants = keysOf(wanted);
  const slots = new Set(wanted.map(slotKey));
  const added = wanted.filter((line) => !has.has(keyOf(line)) && !isFamily(line));
  const unwanted = left.filter((line) => !wants.has(keyOf(line)) && !isFamily(line));
  const gone = {
    keys: keysOf(unwanted),
    groups: new Set(unwanted.filter(isGroup).map(({ line }) => line.split(' ')[1] ?? '')),
  };
  const removed = unwanted
    .filter((line) => !isInside(line, gone))
    // A new value takes the place of the old one.
    .filter((line) => !slots.has(slotKey(line)));
  const script = new Script();
  for (const line of removed.filter(isRouter)) script.write({ path: [], line: `no ${line.line}` });
  const rest = removed.filter((line) => !isRouter(line));
  for (const line of added.filter((one) => !isSpeaker(one))) script.write(line);
  for (const line of rest.filter(isNetwork)) script.write(negated(line));
  for (const [key, path] of lost) script.write({ path, line: `no neighbor ${key}` });
  for (const line of rest.filter((one) => isSpeaker(one) && !isNetwork(one)).toSorted(groupsLast)) {
    script.write(negated(line));
  }
  for (const isTurn of [isOfGroups, isOfNeighbors, isNetwork]) {
    for (const line of added.filter((one) => isSpeaker(one) && isTurn(one))) script.write(line);
  }
  // What refers to others goes first.
  for (const isTurn of [isMapOfMaps, isMap, isList]) {
    for (const line of rest.filter((one) => !isSpeaker(one) && isTurn(one))) script.write(negated(line));
  }
  return script.end();
}

/** Lines with those that enter and leave their contexts. */
class Script {
  readonly #lines: string[] = [];
  #open: readonly string[] = [];

  write({ path, line }: ConfigLine): void {
    this.#enter(path);
    this.#lines.push(line);
    if (opensContext(line)) this.#open = [...path, line];
  }

  end(): string[] {
    this.#enter([]);
    return this.#lines;
  }

  #enter(path: readonly string[]): void {
    const depth = commonDepth(this.#open, path);
    for (let i = this.#open.length - 1; i >= depth; i--) this.#lines.push(closing(this.#open[i] ?? ''));
    this.#lines.push(...path.slice(depth));
    this.#open = path;
  }
}

function keyOf({ path, line }: ConfigLine): string {
  return [...path, line].join('\n');
}

function keysOf(lines: readonly ConfigLine[]): Set<string> {
  return new Set(lines.map(keyOf));
}

/** Lines of which a context has one: what stands behind the match is the value. */
const oneOfAKind =
  /^(?:bgp router-id|bgp route-map delay-timer|timers bgp|network \S+|neighbor \S+ (?:remote-as|bfd profile|update-source|timers connect|timers(?= \d)|maximum-prefix|allowas-in|route-map(?= \S+ in$)|route-map(?= \S+ out$))|call|set (?:as-path|community|large-community|ipv6 next-hop|local-preference|metric)|match (?:as-path|community|large-community|ip address|ipv6 address)|(?:transmit|receive)-interval|\S+ prefix-list \S+ seq \d+|bgp (?:as-path access-list|\S+-list standard) \S+ seq \d+)(?= |$)/;

/** The same for two lines of which the later one replaces the earlier; otherwise the line itself. */
function slotKey({ path, line }: ConfigLine): string {
  const [kind] = oneOfAKind.exec(line) ?? [];
  if (kind === undefined) return keyOf({ path, line });
  const [, direction = ''] = /route-map \S+ (in|out)$/.exec(line) ?? [];
  return [...path, 'only', kind, line.startsWith('neighbor ') ? direction : ''].join('\n');
}

function negated({ path, line }: ConfigLine): ConfigLine {
  const [, group] = /^neighbor (\S+) remote-as /.exec(line) ?? [];
  if (group !== undefined) return { path, line: `no neighbor ${group} remote-as` };
  return { path, line: line.startsWith('no ') ? line.slice(3) : `no ${line}` };
}

/** The neighbor, by its address, that the line is about. */
function neighborIn(line: string): string | undefined {
  const [, name = ''] = /^neighbor (\S+) /.exec(line) ?? [];
  return /[:.]/.test(name) ? name : undefined;
}

/** Neighbors that are wanted no more, or in another group: that is another session. With the context that they are in. */
function lostNeighbors(
  running: readonly ConfigLine[],
  wanted: readonly ConfigLine[],
): Map<string, readonly string[]> {
  const definition = / (?:peer-group|remote-as|interface) /;
  const kept = keysOf(wanted);
  const routers = new Set(wanted.filter(isRouter).map(({ line }) => line));
  const lost = new Map<string, readonly string[]>();
  for (const one of running) {
    const address = neighborIn(one.line);
    if (address === undefined || !definition.test(one.line) || kept.has(keyOf(one))) continue;
    if (routers.has(one.path[0] ?? '')) lost.set(address, one.path);
  }
  return lost;
}

/** Whether it goes with a context or a group that is removed as a whole. */
function isInside(
  { path, line }: ConfigLine,
  gone: { readonly keys: ReadonlySet<string>; readonly groups: ReadonlySet<string> },
): boolean {
  const [, group = ''] = /^neighbor (\S+) (?!peer-group$)/.exec(line) ?? [];
  return (
    gone.groups.has(group) || path.some((line, i) => gone.keys.has(keyOf({ path: path.slice(0, i), line })))
  );
}

const isFamily = ({ line }: ConfigLine) => line.startsWith('address-family ');
const isRouter = ({ path, line }: ConfigLine) => path.length === 0 && line.startsWith('router bgp ');
const isSpeaker = (one: ConfigLine) => isRouter(one) || (one.path[0] ?? '').startsWith('router bgp ');
const isNetwork = ({ line }: ConfigLine) => line.startsWith('network ');
const isGroup = ({ line }: ConfigLine) => /^neighbor \S+ peer-group$/.test(line);
const isOfNeighbors = ({ line }: ConfigLine) => neighborIn(line) !== undefined;
const isOfGroups = (one: ConfigLine) => !isNetwork(one) && !isOfNeighbors(one);
const isMapOfMaps = ({ path, line }: ConfigLine) =>
  line.startsWith('call ') || (path.length === 0 && /^route-map pn-(?:from[46]|origin)-/.test(line));
const isMap = (one: ConfigLine) =>
  !isMapOfMaps(one) && (one.path.length > 0 || one.line.startsWith('route-map '));
const isList = (one: ConfigLine) => !isMapOfMaps(one) && !isMap(one);
/** A peer group is removed after its members. */
const groupsLast = (a: ConfigLine, b: ConfigLine) => Number(isGroup(a)) - Number(isGroup(b));
