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
    }
  | FrrMissing;

interface FrrMissing {
  readonly kind: 'missing';
  /** For people, why not. */
  readonly detail: string;
}

/** What a look finds that starts nothing. */
export type FrrSeen = { readonly kind: 'usable'; readonly version: string } | FrrMissing;

export type FrrEvents = Pick<FrrDaemonsParts, 'started' | 'failed'>;

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
  const missingBeside = (own: FrrDaemons): FrrMissing | null => {
    // Zebra of the host is no trouble; the others have the ports of BGP and BFD.
    const other = own.foreign().find(({ daemon }) => daemon !== 'zebra');
    if (other === undefined || own.running().length > 0) return null;
    return {
      kind: 'missing',
      detail: `Another FRR runs on this instance (${other.daemon}, process ${other.pid}) and has the ports of BGP and BFD. Stop it: systemctl disable --now frr`,
    };
  };
  const nobody = () => undefined;
  const asleep = (at: FrrPlaces, programs: Pick<FrrPrograms, 'folder' | 'uid' | 'gid'>) =>
    new FrrDaemons({ run, clock, processes, places: at, programs, started: nobody, failed: nobody });
  return {
    async look() {
      const programs = await findFrr(run);
      if (programs.kind === 'absent') return { kind: 'missing', detail: programs.detail };
      places ??= FrrPlaces.of(parts.folder.path);
      const missing = missingBeside(daemons ?? asleep(places, programs));
      return missing ?? { kind: 'usable', version: programs.version };
    },
    async find({ started, failed }) {
      const programs = await findFrr(run);
      if (programs.kind === 'absent') return { kind: 'missing', detail: programs.detail };
      places ??= FrrPlaces.of(parts.folder.path);
      daemons ??= new FrrDaemons({ run, clock, processes, places, programs, started, failed });
      return missingBeside(daemons) ?? { kind: 'usable', daemons, places, version: programs.version };
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
