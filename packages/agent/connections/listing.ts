// The kernel's connection table as conntrack(8) lists it, and the commands that mark its entries.
import { endedConnectionMark } from '@powernode/core/limits/agent';
import { type Family, familyOf, formatAddress, parseAddress } from '@powernode/core/net/address';
import type { Command, Outcome } from '../ports/run.ts';

/** A connection of the kernel, as its first packet was. */
export interface Connection {
  readonly source: string;
  readonly destination: string;
  /** As conntrack names it, such as tcp, or a number. */
  readonly protocol: string;
  /** null: the protocol has no ports. */
  readonly destinationPort: number | null;
  /** Its packets are refused, because the rules no longer allow it. */
  readonly isEnded: boolean;
}

/** The connections between addresses of one prefix. */
export function listCommand(prefix: string): Command {
  const family = familyOf(prefix.slice(0, prefix.indexOf('/')));
  return {
    program: 'conntrack',
    args: ['-L', '-o', 'extended', '-f', familyName(family), '-s', prefix, '-d', prefix],
  };
}

/**
 * Reads lines such as
 * `ipv6 10 tcp 6 431999 ESTABLISHED src=fd00::1 dst=fd00::2 sport=40000 dport=443 src=fd00::2 dst=fd00::1 … mark=0 use=1`.
 * Lines of another form are left out, and so are connections whose addresses or ports are translated: their packets
 * have other ends than those that rules are about.
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
  const [source, answering] = valuesOf('src').map(canonical);
  const [destination, answered] = valuesOf('dst').map(canonical);
  if (protocol === undefined || source == null || destination == null) return null;
  if (answering !== destination || answered !== source) return null;
  const [mark = '0'] = valuesOf('mark');
  const [port] = valuesOf('dport');
  return {
    source,
    destination,
    protocol,
    destinationPort: port === undefined ? null : Number(port),
    isEnded: (Number(mark) & endedConnectionMark) !== 0,
  };
}

function canonical(text: string): string | null {
  const address = parseAddress(text);
  return address === null ? null : formatAddress(address);
}

/**
 * The commands after which the connections are ended, or go on: one for all connections that rules cannot tell apart.
 * conntrack's own `--load-file` carries filters over from one line to the next (1.4.7) and is of no use.
 */
export function markCommands(connections: readonly Connection[], state: 'ended' | 'open'): Command[] {
  const mask = `0x${endedConnectionMark.toString(16)}`;
  const mark = `${state === 'ended' ? mask : '0x0'}/${mask}`;
  const commands = new Map<string, Command>();
  for (const { source, destination, protocol, destinationPort } of connections) {
    const ends = ['-f', familyName(familyOf(source)), '-p', protocol, '-s', source, '-d', destination];
    const port = destinationPort === null ? [] : ['--dport', String(destinationPort)];
    const args = ['-U', ...ends, ...port, '--mark', mark];
    commands.set(args.join(' '), { program: 'conntrack', args });
  }
  return [...commands.values()];
}

/** conntrack fails when it finds none of the connections any more. One that has ended by itself is no error. */
export function isMarked({ exitCode, stderr }: Pick<Outcome, 'exitCode' | 'stderr'>): boolean {
  return exitCode === 0 || /\b0 flow entries have been updated/.test(stderr);
}

function familyName(family: Family): string {
  return `ipv${family}`;
}
