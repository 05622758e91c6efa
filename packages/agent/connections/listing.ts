// The kernel's connection table as conntrack(8) lists it, and the commands that mark its entries.
import { endedConnectionMark } from '@powernode/core/limits/agent';
import { type Family, familyOf, formatAddress, parseAddress } from '@powernode/core/net/address';
import type { Command, Outcome } from '../ports/run.ts';

/** A connection of the kernel, as its first packet was before anything translated it. */
export interface Connection {
  /** What tells it from all others: its addresses, ports and identifiers. */
  readonly tuple: string;
  readonly source: string;
  readonly destination: string;
  /** As conntrack names it, such as tcp, or a number. */
  readonly protocol: string;
  /** null: the protocol has no ports. */
  readonly destinationPort: number | null;
  readonly reply: Reply;
  /** Its packets are refused, because the rules no longer allow it. */
  readonly isEnded: boolean;
}

/** Packets of the other direction, as they come: from where the connection leads to, for whom it seems to be from. */
export interface Reply {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number | null;
}

/** Whose connections are listed. */
export interface ListedEnds {
  /** The first packet is from or for one of these: prefixes of networks. */
  readonly prefixes: readonly string[];
  /** Or it is from one of these to one of `reached`, or the other way round: prefixes behind this machine. */
  readonly behind: readonly string[];
  /** Prefixes that networks lead to. What `behind` has with all others, such as the Internet, is not listed. */
  readonly reached: readonly string[];
  /** Or it is sent on from one of these, such as that of a container, or one through a port mapping. */
  readonly sentFrom: readonly string[];
  /** Or it is led to one of these, such as one through a port mapping to this machine itself. */
  readonly sentTo: readonly string[];
}

/** A part of the connection table. */
export interface Listing {
  /** Which connections it has, in words that follow "those". */
  readonly which: string;
  readonly command: Command;
}

/**
 * Each is filtered by conntrack before it prints anything, so that other connections do not make it longer. conntrack
 * (1.4.7) takes no prefixes for what connections are translated to, so these are addresses, or all that are led
 * elsewhere. Some connections are in more than one listing.
 */
export function listingsOf({ prefixes, behind, reached, sentFrom, sentTo }: ListedEnds): Listing[] {
  const pairs = behind.flatMap((here) =>
    reached.filter((there) => familyOf(there) === familyOf(here)).map((there) => [here, there] as const),
  );
  return [
    ...prefixes.flatMap((prefix) => [
      listing(`from ${prefix}`, prefix, ['-s', prefix]),
      listing(`to ${prefix}`, prefix, ['-d', prefix]),
    ]),
    ...pairs.flatMap(([here, there]) => [
      listing(`from ${here} to ${there}`, here, ['-s', here, '-d', there]),
      listing(`from ${there} to ${here}`, here, ['-s', there, '-d', here]),
    ]),
    // Such as those of pods to a service, which is in no prefix.
    ...behind.map((here) =>
      listing(`from ${here} with a translated destination`, here, ['-s', here, '--dst-nat']),
    ),
    ...sentFrom.map((address) => listing(`sent on from ${address}`, address, ['-q', address])),
    ...sentTo.map((address) => listing(`answered from ${address}`, address, ['-r', address])),
  ];
}

/** `end`: an address or a prefix of its family. */
function listing(which: string, end: string, filter: readonly string[]): Listing {
  const args = ['-L', '-o', 'extended', '-f', familyName(familyOf(end)), ...filter];
  return { which, command: { program: 'conntrack', args } };
}

/**
 * Reads lines such as
 * `ipv6 10 tcp 6 431999 ESTABLISHED src=fd00::1 dst=fd00::2 sport=40000 dport=443 src=fd00::2 dst=fd00::1 … mark=0 use=1`.
 * Lines of another form are left out.
 */
export function readConnections(text: string): Connection[] {
  return text.split('\n').flatMap((line) => readLine(line) ?? []);
}

function readLine(line: string): Connection | null {
  const words = line.split(/\s+/).filter((word) => word !== '');
  const protocol = words[2] === 'unknown' ? words[3] : words[2];
  const fields = words.flatMap((word) => {
    const at = word.indexOf('=');
    return at < 0 ? [] : [[word.slice(0, at), word.slice(at + 1)] as const];
  });
  const valuesOf = (name: string) => fields.flatMap(([key, value]) => (key === name ? [value] : []));
  const [source, replySource] = valuesOf('src').map(canonical);
  const [destination, replyDestination] = valuesOf('dst').map(canonical);
  if (protocol === undefined || source == null || destination == null) return null;
  if (replySource == null || replyDestination == null) return null;
  const [mark = '0'] = valuesOf('mark');
  const [port] = valuesOf('dport');
  const [, replyPort] = valuesOf('sport');
  const second = fields.findLastIndex(([key]) => key === 'src');
  const original = fields.slice(0, second).map(([key, value]) => `${key}=${value}`);
  return {
    tuple: [protocol, ...original].join(' '),
    source,
    destination,
    protocol,
    destinationPort: portOf(port),
    reply: { source: replySource, destination: replyDestination, sourcePort: portOf(replyPort) },
    isEnded: (Number(mark) & endedConnectionMark) !== 0,
  };
}

function portOf(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}

function canonical(text: string): string | null {
  const address = parseAddress(text);
  return address === null ? null : formatAddress(address);
}

/** It leads elsewhere than its first packet says. */
export function hasOtherDestination({ destination, destinationPort, reply }: Connection): boolean {
  return reply.source !== destination || reply.sourcePort !== destinationPort;
}

/**
 * The commands after which the connections are ended, or go on: one for all connections that rules cannot tell apart.
 * conntrack's own `--load-file` carries filters over from one line to the next (1.4.7) and is of no use.
 */
export function markCommands(connections: readonly Connection[], state: 'ended' | 'open'): Command[] {
  const mask = `0x${endedConnectionMark.toString(16)}`;
  const mark = `${state === 'ended' ? mask : '0x0'}/${mask}`;
  const commands = new Map<string, Command>();
  for (const connection of connections) {
    const { source, destination, protocol, destinationPort } = connection;
    const ends = ['-f', familyName(familyOf(source)), '-p', protocol, '-s', source, '-d', destination];
    const port = destinationPort === null ? [] : ['--dport', String(destinationPort)];
    const args = ['-U', ...ends, ...port, ...replyFilter(connection), '--mark', mark];
    commands.set(args.join(' '), { program: 'conntrack', args });
  }
  return [...commands.values()];
}

/**
 * Connections of the same ends may be translated in different ways, or not at all, because a port mapping has changed.
 * Replies tell them apart.
 */
function replyFilter({ reply }: Connection): string[] {
  const port = reply.sourcePort === null ? [] : ['--reply-port-src', String(reply.sourcePort)];
  return ['-r', reply.source, '-q', reply.destination, ...port];
}

/** conntrack fails when it finds none of the connections any more. One that has ended by itself is no error. */
export function isMarked({ exitCode, stderr }: Pick<Outcome, 'exitCode' | 'stderr'>): boolean {
  return exitCode === 0 || /\b0 flow entries have been updated/.test(stderr);
}

function familyName(family: Family): string {
  return `ipv${family}`;
}
