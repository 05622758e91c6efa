// What a host's kernel (and wireguard-go) has, read with the machine's own tools: everything that looks like the
// overlay's, whoever made it.
import { canonicalPrefix } from '@powernode/core/net/prefix';
import type { Lab } from '../../../packages/lab/lab.ts';

export interface KernelPeer {
  readonly allowedIps: readonly string[];
  readonly endpoint: string | null;
  readonly keepalive: number;
  readonly presharedKey: boolean;
  /** Seconds since 1970; 0: never. */
  readonly handshakeS: number;
  readonly rxBytes: number;
  readonly txBytes: number;
}

export interface KernelInterface {
  readonly publicKey: string;
  readonly listenPort: number;
  readonly peers: ReadonlyMap<string, KernelPeer>;
}

export interface KernelLink {
  readonly up: boolean;
  readonly mtu: number;
  readonly addresses: readonly string[];
}

export interface KernelRoute {
  readonly destination: string;
  readonly device: string;
  readonly protocol: string;
  readonly source: string | null;
}

export interface Kernel {
  readonly interfaces: ReadonlyMap<string, KernelInterface>;
  /** Every link of the host but its loopback and its wires. */
  readonly links: ReadonlyMap<string, KernelLink>;
  /** Routes of the main table over those links. */
  readonly routes: readonly KernelRoute[];
  readonly forwarding: boolean;
  /** The interfaces that the ruleset guards; null: there is no ruleset. */
  readonly guarded: readonly string[] | null;
}

export async function readKernel(lab: Lab, host: string): Promise<Kernel> {
  const printed = (program: string, ...args: string[]) => print(lab, host, { program, args });
  const links = linksIn(await printed('ip', '-j', 'address', 'show'));
  return {
    interfaces: await readTunnels(lab, host),
    links,
    routes: [
      ...routesIn(await printed('ip', '-6', '-j', 'route', 'show', 'table', 'main'), { links, length: 128 }),
      ...routesIn(await printed('ip', '-4', '-j', 'route', 'show', 'table', 'main'), { links, length: 32 }),
    ],
    forwarding: (await printed('cat', '/proc/sys/net/ipv6/conf/all/forwarding')).trim() === '1',
    guarded: await readGuarded(lab, host),
  };
}

/** `wg show all dump`, without the private keys. */
export async function readTunnels(lab: Lab, host: string): Promise<Map<string, KernelInterface>> {
  const text = await print(lab, host, { program: 'wg', args: ['show', 'all', 'dump'] });
  const found = new Map<string, { publicKey: string; listenPort: number; peers: Map<string, KernelPeer> }>();
  for (const line of text.split('\n')) {
    const [name = '', key = '', second = '', ...rest] = line.split('\t');
    if (rest.length === 2)
      found.set(name, { publicKey: second, listenPort: Number(rest[0]), peers: new Map() });
    if (rest.length === 6) found.get(name)?.peers.set(key, peerOf(second, rest));
  }
  return found;
}

function peerOf(presharedKey: string, rest: readonly string[]): KernelPeer {
  const [endpoint = '', allowedIps = '', handshake, rx, tx, keepalive] = rest;
  return {
    presharedKey: presharedKey !== '(none)',
    endpoint: endpoint === '(none)' ? null : endpoint,
    allowedIps: allowedIps === '(none)' ? [] : allowedIps.split(',').map(canonical).sort(),
    handshakeS: Number(handshake),
    rxBytes: Number(rx),
    txBytes: Number(tx),
    keepalive: keepalive === 'off' ? 0 : Number(keepalive),
  };
}

export function canonical(prefix: string): string {
  return canonicalPrefix(prefix) ?? prefix;
}

interface PrintedLink {
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number }[];
}

function linksIn(text: string): Map<string, KernelLink> {
  const links = (JSON.parse(text) as PrintedLink[]).filter(({ ifname }) => !/^(?:lo|eth\d+)$/.test(ifname));
  return new Map(
    links.map(({ ifname, flags, mtu, addr_info }) => [
      ifname,
      {
        up: flags.includes('UP'),
        mtu,
        addresses: addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`).sort(),
      },
    ]),
  );
}

interface PrintedRoute {
  readonly dst: string;
  readonly dev: string;
  readonly protocol: string;
  readonly prefsrc?: string;
}

/** `length`: that of a whole address, which ip does not print. */
function routesIn(
  text: string,
  { links, length }: { readonly links: ReadonlyMap<string, unknown>; readonly length: number },
): KernelRoute[] {
  const routes = JSON.parse(text === '' ? '[]' : text) as PrintedRoute[];
  return routes
    .filter(({ dev }) => links.has(dev))
    .map(({ dst, dev, protocol, prefsrc }) => ({
      destination: dst.includes('/') ? dst : `${dst}/${length}`,
      device: dev,
      protocol,
      source: prefsrc ?? null,
    }));
}

interface PrintedRuleset {
  readonly nftables: readonly {
    readonly set?: { readonly name: string; readonly elem?: readonly string[] };
  }[];
}

async function readGuarded(lab: Lab, host: string): Promise<readonly string[] | null> {
  const command = { program: 'nft', args: ['-j', 'list', 'table', 'inet', 'powernode'] };
  const { exitCode, stdout } = await lab.exec(host, command);
  if (exitCode !== 0) return null;
  const { nftables } = JSON.parse(stdout) as PrintedRuleset;
  const set = nftables.find((item) => item.set?.name === 'pn_overlay')?.set;
  return [...(set?.elem ?? [])].sort();
}

async function print(
  lab: Lab,
  host: string,
  command: { readonly program: string; readonly args: readonly string[] },
): Promise<string> {
  const { exitCode, stdout, stderr } = await lab.exec(host, command);
  if (exitCode === 0) return stdout;
  throw new Error(
    `${command.program} ${command.args.join(' ')} in ${host} ended with ${exitCode}: ${stderr}`,
  );
}
