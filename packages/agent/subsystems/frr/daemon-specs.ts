// Which daemons of FRR a machine is to have, and with which arguments they are started. A daemon that runs with others
// is another one.
import { frrFilesMax, frrSweepS } from '@powernode/core/limits/agent';
import type { FrrPlaces } from './places.ts';
import { type FrrDaemon, frrUser } from './programs.ts';

/** A network with iBGP, and the overlay address of this machine in it. */
export interface WantedNetwork {
  readonly network: string;
  readonly address: string;
}

export interface DaemonSpec {
  readonly daemon: FrrDaemon;
  /** null: zebra and bfdd are the machine's. */
  readonly network: string | null;
  /** Where a bgpd listens. */
  readonly address: string | null;
}

export interface DaemonCommand {
  readonly program: FrrDaemon;
  readonly args: readonly string[];
  /** As `nice` counts. */
  readonly priority: number;
}

/** In the order in which they are started: zebra first, the others ask it. */
export function specsOf(networks: readonly WantedNetwork[]): DaemonSpec[] {
  if (networks.length === 0) return [];
  return [
    { daemon: 'zebra', network: null, address: null },
    { daemon: 'bfdd', network: null, address: null },
    ...networks.map(({ network, address }) => ({ daemon: 'bgpd' as const, network, address })),
  ];
}

/** Of a daemon with its arguments. */
export function keyOf({ daemon, network, address }: DaemonSpec): string {
  return `${daemon} ${network ?? ''} ${address ?? ''}`;
}

/** Of a daemon, for people. */
export function nameOf({ daemon, network }: DaemonSpec): string {
  return network === null ? daemon : `${daemon} of network ${network}`;
}

export function commandOf({ daemon, network, address }: DaemonSpec, places: FrrPlaces): DaemonCommand {
  const folder = places.folderOf(daemon, network);
  const args = [
    ...['-f', places.configOf(daemon), '-i', `${folder}/${daemon}.pid`, '-z', places.zebraSocket],
    // No TCP port for the vty.
    ...['--vty_socket', folder, '-P', '0', '-u', frrUser, '-g', frrUser],
    ...['--limit-fds', String(frrFilesMax)],
  ];
  switch (daemon) {
    case 'zebra':
      // It must not take routes of the host's own FRR for its own: neither delete them at its start nor at its end.
      return { program: daemon, args: [...args, '-K', String(frrSweepS), '-r'], priority: 0 };
    case 'bfdd':
      // Before ordinary programs: a packet that it sends 300 ms late is a dead path to its neighbor.
      return { program: daemon, args: [...args, '--bfdctl', `${folder}/bfdd.sock`], priority: -10 };
    case 'bgpd':
      return { program: daemon, args: [...args, '-n', '-l', address ?? ''], priority: 0 };
  }
}
