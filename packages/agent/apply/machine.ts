// What applying needs of a machine: look, and carry out steps. The real one is kernel-machine.ts; tests have a model.

import type { LookScope } from '../subsystems/look-scope.ts';
import type { ByFamily, Observation } from '../subsystems/observed.ts';
import type { Problem } from '../subsystems/problem.ts';
import type { Step } from '../subsystems/step.ts';

export interface Machine {
  /** The agent switched forwarding of the family on and remembers how it was before. */
  readonly forwardingHeld: ByFamily;
  /** Bridges whose hosts may use the overlays, as the machine's owner said. */
  readonly bridges: readonly string[];
  /** Routes of networks' tables are copied to the main one, as the machine's owner said. */
  readonly exportRoutes?: boolean;
  look(scope: LookScope): Promise<Observation>;
  /** Carries out what it can, in order, and returns what could not be. */
  execute(steps: readonly Step[]): Promise<Problem[]>;
}
