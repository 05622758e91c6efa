// FRR on this machine, as BGP uses it: whether there is one that can be used, its daemons, and taking them away.
import { existsSync } from 'node:fs';
import type { Clock } from '../ports/clock.ts';
import type { Run } from '../ports/run.ts';
import { FrrDaemons, type FrrDaemonsParts } from '../subsystems/frr/daemons.ts';
import { FrrPlaces } from '../subsystems/frr/places.ts';
import { systemProcesses } from '../subsystems/frr/processes.ts';
import { type FrrPrograms, findFrr } from '../subsystems/frr/programs.ts';

export type FrrFound =
  | {
      readonly kind: 'usable';
      readonly daemons: Pick<FrrDaemons, 'keep' | 'leave'>;
      readonly places: Pick<FrrPlaces, 'vtyOf'>;
      /** As FRR writes it. */
      readonly version: string;
      /** Why it cannot be used any longer, for people: another FRR was started that needs the same. null: it can. */
      readonly inTheWay: () => string | null;
    }
  | FrrMissing;

interface FrrMissing {
  readonly kind: 'missing';
  /** For people, why not. */
  readonly detail: string;
}

/** What a look finds that starts nothing. */
export type FrrSeen = { readonly kind: 'usable'; readonly version: string } | FrrMissing;

export type FrrEvents = Pick<FrrDaemonsParts, 'started' | 'failed' | 'othersChanged'>;

/** The port to FRR. */
export interface Frr {
  /** Whether there is one that can be used. Starts and remembers nothing. */
  look(): Promise<FrrSeen>;
  find(events: FrrEvents): Promise<FrrFound>;
  /** Ends all daemons of this agent, also those of its earlier lives, and leaves nothing behind. */
  remove(): Promise<void>;
}

export function systemFrr(parts: {
  readonly run: Run;
  readonly clock: Clock;
  /** Of the agent's state. */
  readonly folder: { readonly path: string };
}): Frr {
  const { run, clock } = parts;
  const processes = systemProcesses();
  let places: FrrPlaces | null = null;
  let daemons: FrrDaemons | null = null;
  // A zebra of the host is no trouble, and a bgpd is none: each of the agent's listens on one overlay address, which goes
  // before the wildcard. A bfdd always takes the wildcard, and of two the kernel gives each packet to one.
  const inTheWay = (own: FrrDaemons): string | null => {
    const other = own.foreign().find(({ daemon }) => daemon === 'bfdd');
    if (other === undefined) return null;
    return `This instance runs a bfdd of its own (process ${other.pid}) on the UDP ports of BFD (3784, 3785, 4784), which two daemons cannot share. If nothing uses it, set bfdd=no in /etc/frr/daemons and restart frr.`;
  };
  const nobody = () => undefined;
  const asleep = (at: FrrPlaces, programs: Pick<FrrPrograms, 'folder' | 'uid' | 'gid'>) =>
    new FrrDaemons({
      run,
      clock,
      processes,
      places: at,
      programs,
      started: nobody,
      failed: nobody,
      othersChanged: nobody,
    });
  return {
    async look() {
      const programs = await findFrr(run);
      if (programs.kind === 'absent') return { kind: 'missing', detail: programs.detail };
      places ??= FrrPlaces.of(parts.folder.path);
      const why = inTheWay(daemons ?? asleep(places, programs));
      return why === null ? { kind: 'usable', version: programs.version } : { kind: 'missing', detail: why };
    },
    async find(events) {
      const programs = await findFrr(run);
      if (programs.kind === 'absent') return { kind: 'missing', detail: programs.detail };
      places ??= FrrPlaces.of(parts.folder.path);
      daemons ??= new FrrDaemons({ run, clock, processes, places, programs, ...events });
      const own = daemons;
      const why = inTheWay(own);
      if (why === null)
        return { kind: 'usable', daemons, places, version: programs.version, inTheWay: () => inTheWay(own) };
      // Those of an earlier agent.
      await own.removeAll();
      return { kind: 'missing', detail: why };
    },
    async remove() {
      places ??= FrrPlaces.of(parts.folder.path);
      if (!existsSync(places.root)) return;
      // One that keeps them has to know that they end on purpose.
      daemons ??= asleep(places, { folder: '', uid: 0, gid: 0 });
      await daemons.removeAll();
      daemons = null;
    },
  };
}
