// What this machine has outside its overlays, as the platform is told of it: networks that its routes lead to,
// gateways, DNS and DHCP servers, and the platform's address. Read from the kernel and from the files of the usual
// resolvers and DHCP clients; what cannot be read is left out.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import {
  underlayFactsMax,
  underlayFileBytesMax,
  underlayFilesMax,
  underlayLengthMin,
  underlayLookMs,
} from '@powernode/core/limits/agent';
import { type Address, formatAddress, parseAddress, widthOf } from '@powernode/core/net/address';
import { contains, formatPrefix, type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import { type UnderlayFact, underlayKinds } from '@powernode/core/net/underlay';
import { z } from 'zod';
import type { Clock } from '../ports/clock.ts';
import type { Run } from '../ports/run.ts';
import { interfaceMarks } from '../subsystems/links/names.ts';
import { routeProtocol } from '../subsystems/routes/steps.ts';

const route = z.object({
  dst: z.string(),
  dev: z.string().optional(),
  type: z.string().optional(),
  protocol: z.string().optional(),
  gateway: z.string().optional(),
  via: z.object({ host: z.string() }).optional(),
  nexthops: z.array(z.object({ gateway: z.string().optional(), dev: z.string().optional() })).optional(),
});
type Route = z.infer<typeof route>;

const link = z.object({ ifname: z.string(), ifalias: z.string().optional() });

/** Where resolvers and DHCP clients of the usual systems keep what they know, below `root`. */
const resolverFiles = ['etc/resolv.conf', 'run/systemd/resolve/resolv.conf'] as const;
const leaseFolders = [
  'run/systemd/netif/leases',
  'run/NetworkManager/devices',
  'var/lib/NetworkManager',
  'var/lib/dhcp',
  'var/lib/dhclient',
  'var/lib/dhcpcd',
] as const;

export interface UnderlayParts {
  readonly run: Run;
  /** Whether an interface belongs to the agent's overlays. */
  readonly isOurs: (name: string) => boolean;
  /** Folder that the files are looked for in; other than "/" in tests. */
  readonly root?: string;
}

/** The most important first, at most `underlayFactsMax`. */
export async function lookAtUnderlay({ run, isOurs, root = '/' }: UnderlayParts): Promise<UnderlayFact[]> {
  // Interfaces come and go while this looks, and an agent that was killed has left some that it does not know again
  // yet: those that the kernel marks as the agent's before or after the routes were read are the overlays' too.
  const before = await markedInterfaces(run);
  const [ipv4, ipv6] = await Promise.all([routes(run, '-4'), routes(run, '-6')]);
  const marked = new Set([...before, ...(await markedInterfaces(run))]);
  const facts = new Facts((name) => marked.has(name) || isOurs(name));
  for (const one of [...ipv4, ...ipv6]) facts.route(one);
  for (const file of resolverFiles) {
    for (const server of resolversIn(read(path.join(root, file)))) facts.host('resolver', server, null);
  }
  for (const server of dhcpServers(root)) facts.host('dhcp_server', server, null);
  return facts.list();
}

/** The fact that the platform is reached at this address; none when it cannot be read or is this machine's own. */
export function platformFact(address: string | null): UnderlayFact[] {
  const facts = new Facts(() => false);
  if (address !== null) facts.host('platform', address, null);
  return facts.list();
}

export interface WatchParts extends UnderlayParts {
  readonly clock: Clock;
  /** The address by which the platform is reached; null: it never was. */
  readonly platform: () => string | null;
  readonly changed: () => void;
}

/** Looks at the underlay now and then, and says when it is another one than before. */
export class UnderlayWatch {
  readonly #parts: WatchParts;
  #facts: readonly UnderlayFact[] = [];
  #cancel: () => void = () => undefined;
  #looking: Promise<void> | null = null;
  #stopped = false;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** As of the last look, with the platform as it is reached now. */
  get facts(): UnderlayFact[] {
    return [...platformFact(this.#parts.platform()), ...this.#facts].slice(0, underlayFactsMax);
  }

  /** Looks now; resolves when that is done. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
      this.#cancel();
      if (!this.#stopped) this.#cancel = this.#parts.clock.after(underlayLookMs, () => void this.look());
    });
    return this.#looking;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #look(): Promise<void> {
    const found = await lookAtUnderlay(this.#parts);
    const isSame = JSON.stringify(found) === JSON.stringify(this.#facts);
    this.#facts = found;
    if (!isSame && !this.#stopped) this.#parts.changed();
  }
}

/** Routes of all tables: VPNs keep theirs in tables of their own. */
function routes(run: Run, family: '-4' | '-6'): Promise<Route[]> {
  return printed(run, ['-json', family, 'route', 'show', 'table', 'all'], route);
}

/** Names of the interfaces with an alias of the agent's. */
async function markedInterfaces(run: Run): Promise<string[]> {
  const marks: readonly string[] = Object.values(interfaceMarks);
  const links = await printed(run, ['-json', 'link', 'show'], link);
  return links.flatMap(({ ifname, ifalias = '' }) => (marks.includes(ifalias) ? [ifname] : []));
}

/** What `ip` prints as JSON; nothing where it cannot be read. */
async function printed<T>(run: Run, args: readonly string[], shape: z.ZodType<T>): Promise<T[]> {
  try {
    const outcome = await run.attempt({ program: 'ip', args });
    if (outcome.exitCode !== 0 || outcome.stdout.trim() === '') return [];
    const parsed = z.array(shape).safeParse(JSON.parse(outcome.stdout));
    return parsed.success ? parsed.data : [];
  } catch {
    return [];
  }
}

class Facts {
  readonly #found = new Map<string, UnderlayFact>();
  readonly #isOurs: (name: string) => boolean;

  constructor(isOurs: (name: string) => boolean) {
    this.#isOurs = isOurs;
  }

  host(kind: UnderlayFact['kind'], text: string, name: string | null): void {
    const address = parseAddress(withoutZone(text));
    if (address !== null && isOfNetworks(address)) {
      this.#add(kind, { ...address, length: widthOf[address.family] }, name);
    }
  }

  route({ dst, dev, type, protocol, gateway, via, nexthops }: Route): void {
    // Local and broadcast addresses follow from the machine's own; the agent's interfaces and routes are the overlays.
    if (type !== undefined && type !== 'unicast') return;
    if (protocol === String(routeProtocol)) return;
    const hops = [{ gateway: gateway ?? via?.host, dev }, ...(nexthops ?? [])];
    for (const hop of hops) {
      const name = hop.dev ?? dev ?? null;
      if (name !== null && this.#isOurs(name)) continue;
      if (hop.gateway !== undefined) this.host('gateway', hop.gateway, name);
      const prefix = prefixOf(dst);
      if (prefix === null || prefix.length < underlayLengthMin[prefix.family]) continue;
      if (name !== null && isOfNetworks(prefix)) this.#add('network', prefix, name);
    }
  }

  list(): UnderlayFact[] {
    const rank = (fact: UnderlayFact) => underlayKinds.indexOf(fact.kind);
    // Of networks the largest first: they say most of what is taken.
    return [...this.#found.values()]
      .sort((a, b) => rank(a) - rank(b) || lengthOf(a) - lengthOf(b) || (a.at < b.at ? -1 : 1))
      .slice(0, underlayFactsMax);
  }

  #add(kind: UnderlayFact['kind'], prefix: Prefix, name: string | null): void {
    const at = formatPrefix(prefix);
    this.#found.set(`${kind} ${at}`, { kind, at, interface: name?.slice(0, 15) ?? null });
  }
}

function lengthOf({ at }: UnderlayFact): number {
  return Number(at.slice(at.indexOf('/') + 1));
}

function prefixOf(dst: string): Prefix | null {
  if (dst === 'default') return null;
  const address = parseAddress(dst);
  return address === null ? parsePrefix(dst) : { ...address, length: widthOf[address.family] };
}

const never = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3', '::/127', 'fe80::/10', 'ff00::/8']
  .map(parsePrefix)
  .filter((prefix) => prefix !== null);

/** Not loopback, link-local or multicast, which no overlay may have anyway. */
function isOfNetworks(at: Address | Prefix): boolean {
  return !never.some((block) => contains(block, at));
}

function withoutZone(text: string): string {
  const zone = text.indexOf('%');
  return zone < 0 ? text : text.slice(0, zone);
}

/** Servers of a resolv.conf (resolv.conf(5)). */
export function resolversIn(text: string): string[] {
  return text.split('\n').flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? []);
}

/** Servers in the lease files of systemd-networkd, NetworkManager, dhclient and dhcpcd. */
export function dhcpServersIn(text: string): string[] {
  const shape =
    /(?:^|\n)\s*(?:SERVER_ADDRESS=|dhcp_server_identifier=|option dhcp-server-identifier )'?([0-9.]+)/g;
  return Array.from(text.matchAll(shape), (match) => match[1] ?? '');
}

function dhcpServers(root: string): string[] {
  const files = leaseFolders.flatMap((folder) => filesIn(path.join(root, folder))).slice(0, underlayFilesMax);
  // Of a file with all leases that there ever were, the last one holds.
  return [...new Set(files.flatMap((file) => dhcpServersIn(read(file)).at(-1) ?? []))].map((text) => {
    const address = parseAddress(text);
    return address === null ? '' : formatAddress(address);
  });
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .sort()
      .map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    const { size } = statSync(file);
    return size > underlayFileBytesMax ? '' : readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
