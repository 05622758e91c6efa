// iproute2, which links, addresses and routes are looked at and set with: one process for all that is asked in one
// look, and one for steps that follow each other.
import { ProductError } from '@powernode/core/errors';
import { mustRun, type Run } from '../../ports/run.ts';
import { LookFailure, type Problem } from '../problem.ts';
import { parseDump } from '../wireguard/dump.ts';
import { freePortCommand, isPortTaken, takenPortProblem } from '../wireguard/taken-port.ts';
import { failedSteps, type IpStep, ipCommand } from './batch.ts';
import { lookCommand, type ObservedLinks, parseLook } from './look.ts';

export class IpRoute {
  readonly #run: Run;
  readonly #markedInterfaces: () => Set<string>;
  /** By the scope of the look: those who ask in the same one are answered from the same. */
  readonly #looks = new WeakMap<object, Promise<ObservedLinks>>();

  /** `markedInterfaces`: those whose userspace WireGuard carries the agent's mark. */
  constructor(run: Run, markedInterfaces: () => Set<string>) {
    this.#run = run;
    this.#markedInterfaces = markedInterfaces;
  }

  look(scope: object): Promise<ObservedLinks> {
    let look = this.#looks.get(scope);
    if (look === undefined) {
      look = this.#lookNow();
      this.#looks.set(scope, look);
    }
    return look;
  }

  async #lookNow(): Promise<ObservedLinks> {
    try {
      return parseLook(await mustRun(this.#run, lookCommand), lazily(this.#markedInterfaces));
    } catch (error) {
      if (!(error instanceof ProductError)) throw error;
      throw new LookFailure({ as: 'addresses', code: 'addresses_failed' }, error);
    }
  }

  /** The kernel takes the port of an interface when it is brought up. */
  async execute(steps: readonly IpStep[]): Promise<Problem[]> {
    const run = this.#run;
    try {
      await mustRun(run, ipCommand(steps));
      return [];
    } catch (cause) {
      if (!isPortTaken(cause)) throw cause;
      const links = failedSteps(steps, cause).filter((step) => step.kind === 'set_link');
      if (links.length === 0) throw cause;
      const problems: Problem[] = [];
      for (const { name } of links) {
        const port = await this.#portOf(name);
        await mustRun(run, freePortCommand(name));
        problems.push(await takenPortProblem(run, { interface: name, port, cause }));
      }
      // What was taken away is gone; the other lines may be repeated.
      await mustRun(run, ipCommand(steps.filter((step) => !isRemoval(step))));
      return problems;
    }
  }

  async #portOf(name: string): Promise<number> {
    const outcome = await this.#run.attempt({ program: 'wg', args: ['show', name, 'dump'] });
    return outcome.exitCode === 0 ? parseDump(outcome.stdout).listenPort : 0;
  }
}

function isRemoval(step: IpStep): boolean {
  return step.kind === 'remove_address' || step.kind === 'remove_route';
}

/** Asks once, and only if somebody wants to know. */
function lazily(make: () => Set<string>): (name: string) => boolean {
  let made: Set<string> | undefined;
  return (name) => {
    made ??= make();
    return made.has(name);
  };
}
