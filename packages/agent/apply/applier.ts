// One turn of making the machine equal to a document: look, plan, carry out, look again, until nothing differs. When a
// turn is due is decided in reconciler.ts.

import type { NodeSubsystem } from '@powernode/core/intent/common';
import { agentApplyRoundsMax } from '@powernode/core/limits/agent';
import { makePlan, type Plan } from '../plan/plan.ts';
import type { Clock } from '../ports/clock.ts';
import type { MtuCaps } from '../subsystems/addresses/mtu.ts';
import type { Problem } from '../subsystems/problem.ts';
import { describeStep, subsystemOf } from '../subsystems/registry.ts';
import type { Step } from '../subsystems/step.ts';
import type { Scope } from '../subsystems/subsystem.ts';
import type { Calling } from './calling.ts';
import { WrittenEndpoints } from './endpoints.ts';
import type { Machine } from './machine.ts';
import type { ObservedCache } from './observed-cache.ts';
import { keysOf, type PathSelector } from './path-selector.ts';
import type { Target } from './target.ts';

export interface ApplierParts {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly observed: ObservedCache;
  readonly paths: PathSelector;
  readonly calling: Calling;
  readonly mtuCaps: () => MtuCaps;
  /** Resolves when no route is being changed beside. */
  readonly reroutesDone: () => Promise<void>;
  /** These were carried out, and not yet looked at. */
  readonly begun: (steps: readonly Step[]) => void;
  readonly looked: () => void;
}

export class Applier {
  readonly endpoints = new WrittenEndpoints();
  readonly #parts: ApplierParts;

  constructor(parts: ApplierParts) {
    this.#parts = parts;
  }

  plan(target: Target, scope: Scope): Plan {
    const { machine, clock, observed, paths, calling } = this.#parts;
    return makePlan({
      document: target.document,
      observed: observed.state,
      scope,
      choices: paths.choices,
      extraAllowedIps: paths.extraAllowedIps,
      forwardingHeld: machine.forwardingHeld,
      bridges: machine.bridges,
      exportRoutes: machine.exportRoutes ?? false,
      mtuCaps: this.#parts.mtuCaps(),
      writtenEndpoints: this.endpoints.all,
      calls: calling,
      nowMs: clock.nowMs(),
    });
  }

  /** Carries out plans until nothing differs; returns what could not be done. */
  async apply(target: Target, within: Scope): Promise<Problem[]> {
    const { observed, paths } = this.#parts;
    const scope = within === 'all' ? within : new Set([...within, ...keysOf(paths.choose())]);
    if (within === 'all') paths.choose();
    for (let round = 0; ; round++) {
      const plan = this.plan(target, scope);
      if (plan.steps.length === 0) {
        if (plan.problems.length === 0) this.endpoints.remember(target, scope, this.#parts.calling);
        return [...plan.problems];
      }
      if (round === agentApplyRoundsMax) return notConverging(plan.steps);
      const problems = await this.#parts.machine.execute(plan.steps);
      this.endpoints.carriedOut(plan.steps);
      this.#parts.begun(plan.steps);
      if (!(await observed.lookAfter(plan.steps, this.#parts.reroutesDone))) await this.lookAtAll(target);
      if (problems.length > 0) return problems;
    }
  }

  async lookAtAll(target: Target): Promise<void> {
    const { observed, paths, clock } = this.#parts;
    const first = !observed.isFilled;
    await this.#parts.reroutesDone();
    paths.lookBegins();
    await observed.lookAtAll();
    if (first) paths.adopt(observed.state);
    for (const one of observed.state.interfaces.values()) {
      if (one.ours) paths.weigh(one.name, observed.state, clock.nowMs());
    }
    paths.keepOnly((tunnel) => target.entries.has(tunnel));
    this.#parts.calling.weigh({
      document: target.document,
      observed: observed.state,
      stateOf: (tunnel) => paths.stateOf(tunnel),
      nowMs: clock.monotonicMs(),
    });
    this.#parts.looked();
  }
}

/** What differs however often it is written: a problem of each subsystem whose steps are left. */
function notConverging(steps: readonly Step[]): Problem[] {
  const left = new Map<NodeSubsystem, string[]>();
  for (const step of steps) {
    const { as } = subsystemOf(step).reported;
    left.set(as, [...(left.get(as) ?? []), describeStep(step).drift]);
  }
  return [...left].map(([subsystem, drift]) => ({
    subsystem,
    code: 'not_converging',
    detail: `Configured ${agentApplyRoundsMax} times and reverted each time: ${drift.slice(0, 3).join('; ')}. Find the other program that configures it.`,
  }));
}
