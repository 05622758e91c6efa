// Reads what `ip -j -d` prints of links, addresses and routes.
import { ProductError } from '@powernode/core/errors';
import { parseAddress } from '@powernode/core/net/address';
import { z } from 'zod';
import type { Command } from '../../ports/run.ts';
import { interfaceGroup, interfaceMarks, isInterfaceName } from '../links/names.ts';
import type { LookScope } from '../look-scope.ts';
import type { ObservedInterface, ObservedRoute } from '../observed.ts';
import { destinationIn, isSubnetTable } from '../policy-rules/tables.ts';
import { mainDestination, noDevice, routeProtocol } from '../routes/steps.ts';
import { isIpStep } from './batch.ts';

/** One process for both lists; each is one line of JSON. Routes of all tables, as only that spans both families. */
export const lookCommand: Command = {
  program: 'ip',
  args: ['-json', '-details', '-batch', '-'],
  input: `address show\nroute show table all proto ${routeProtocol}\n`,
};

const link = z.object({
  ifname: z.string(),
  flags: z.array(z.string()),
  mtu: z.int(),
  ifalias: z.string().optional(),
  group: z.string().optional(),
  linkinfo: z.object({ info_kind: z.string().optional() }).optional(),
  addr_info: z.array(
    z.object({
      family: z.string(),
      local: z.string().optional(),
      prefixlen: z.int().optional(),
      scope: z.string().optional(),
    }),
  ),
});
type Link = z.infer<typeof link>;

const route = z.object({
  dst: z.string(),
  type: z.string().optional(),
  dev: z.string().optional(),
  table: z.string().optional(),
  prefsrc: z.string().optional(),
  metric: z.int().optional(),
});

export interface ObservedLinks {
  /** Links whose names have the agent's shape; `device` is not known from here. */
  readonly interfaces: Map<string, Omit<ObservedInterface, 'device'>>;
  readonly routes: ReadonlyMap<string, readonly ObservedRoute[]>;
}

/** `isMarked`: whether a userspace WireGuard without an alias was started by the agent, before it could say so. */
export function parseLook(text: string, isMarked: (name: string) => boolean): ObservedLinks {
  const lines = text.split('\n');
  const links = read(z.array(link), lines[0], 'links');
  const routes = read(z.array(route), lines[1], 'routes');
  const interfaces = new Map<string, Omit<ObservedInterface, 'device'>>();
  for (const one of links) {
    if (isInterfaceName(one.ifname)) interfaces.set(one.ifname, interfaceOf(one, isMarked));
  }
  return { interfaces, routes: routesOf(routes) };
}

function read<T>(schema: z.ZodType<T>, line: string | undefined, what: string): T {
  let value: unknown;
  try {
    // An empty list of routes is printed as nothing by some versions.
    value = line === undefined || line.trim() === '' ? [] : JSON.parse(line);
  } catch {
    value = undefined;
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') || 'all of it';
  throw new ProductError(
    'command_failed',
    `ip printed ${what} that cannot be read (${where}): ${line?.slice(0, 200)}`,
  );
}

function interfaceOf(one: Link, isMarked: (name: string) => boolean): Omit<ObservedInterface, 'device'> {
  const kind = one.linkinfo?.info_kind;
  const flavour = kind === 'wireguard' ? 'kernel' : kind === 'tun' ? 'userspace' : 'other';
  const marked = one.ifalias === interfaceMarks.made || one.ifalias === interfaceMarks.prepared;
  return {
    name: one.ifname,
    ours:
      flavour !== 'other' && (marked || (flavour === 'userspace' && !one.ifalias && isMarked(one.ifname))),
    prepared: one.ifalias === interfaceMarks.prepared,
    grouped: one.group === interfaceGroup,
    flavour,
    mtu: one.mtu,
    up: one.flags.includes('UP'),
    addresses: one.addr_info.flatMap((at) =>
      at.scope === 'link' || at.local === undefined ? [] : [`${at.local}/${at.prefixlen}`],
    ),
  };
}

function routesOf(list: readonly z.infer<typeof route>[]): Map<string, ObservedRoute[]> {
  const routes = new Map<string, ObservedRoute[]>();
  for (const one of list) {
    const table = one.table === undefined || one.table === 'main' ? null : Number(one.table);
    if (table !== null && !isSubnetTable(table)) continue;
    const prefix = destinationOf(one.dst);
    const destination = table === null ? mainDestination(prefix, one.metric) : destinationIn(table, prefix);
    const seen: ObservedRoute = {
      destination,
      device: one.type === noDevice ? noDevice : (one.dev ?? ''),
      source: one.prefsrc ?? null,
      metric: one.metric ?? 0,
    };
    routes.set(destination, [...(routes.get(destination) ?? []), seen]);
  }
  return routes;
}

/** `ip` leaves out the length of a host route. */
function destinationOf(dst: string): string {
  if (dst === 'default') return '::/0';
  if (dst.includes('/')) return dst;
  return `${dst}/${parseAddress(dst)?.family === 4 ? 32 : 128}`;
}

/** Whether anything that `ip` lists can have changed: addresses go with links, and routes with addresses. */
export function asksIp(scope: LookScope): boolean {
  return scope.kind === 'everything' || (scope.kind === 'after' && scope.steps.some(isIpStep));
}
