// The plan: what differs between the document and what was observed, as steps in an order that is safe at every point
// (rules before what they guard, addresses before routes that use them). Pure; each subsystem plans its own.
import type { Problem } from '../subsystems/problem.ts';
import { subsystems } from '../subsystems/registry.ts';
import type { Step } from '../subsystems/step.ts';
import type { PlanInput } from '../subsystems/subsystem.ts';

export interface Plan {
  readonly steps: readonly Step[];
  /** What cannot be done; the rest can. */
  readonly problems: readonly Problem[];
}

export function makePlan(input: PlanInput): Plan {
  const problems: Problem[] = [];
  const apply: Step[] = [];
  const withdraw: (readonly Step[])[] = [];
  const finish: (readonly Step[])[] = [];
  for (const subsystem of subsystems) {
    const planned = subsystem.plan(input, apply);
    apply.push(...(planned.apply ?? []));
    withdraw.unshift(planned.withdraw ?? []);
    finish.unshift(planned.finish ?? []);
    problems.push(...(planned.problems ?? []));
  }
  return { steps: [...withdraw.flat(), ...apply, ...finish.flat()], problems };
}
