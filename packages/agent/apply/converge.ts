// One turn of making the machine equal to a document: look, plan, carry out, look again, until nothing differs. When a
// turn is due is decided in reconciler.ts.
import { agentApplyRoundsMax } from '@powernode/core/limits';
import { makePlan, type Plan, type Scope } from '../plan/plan.ts';
import { describeDrift, type Step } from '../plan/step.ts';
import type { Clock } from '../ports/clock.ts';
import type { Held } from '../state/held.ts';
import { WrittenEndpoints } from './endpoints.ts';
import type { Picture } from './picture.ts';
import type { Problem, Sink } from './sink.ts';
import { keysOf, type Ways } from './ways.ts';

export interface ConvergerParts {
  readonly machine: Sink;
  readonly clock: Clock;
  readonly picture: Picture;
  readonly ways: Ways;
  /** Resolves when no route is being switched beside. */
  readonly switchesDone: () => Promise<void>;
  /** These were carried out, and not yet looked at. */
  readonly begun: (steps: readonly Step[]) => void;
  readonly looked: () => void;
}

export class Converger {
  readonly endpoints = new WrittenEndpoints();
  readonly #parts: ConvergerParts;

  constructor(parts: ConvergerParts) {
    this.#parts = parts;
  }

  plan(target: Held, scope: Scope): Plan {
    const { machine, clock, picture, ways } = this.#parts;
    return makePlan({
      entries: target.entries,
      seen: picture.seen,
      scope,
      choices: ways.choices,
      carried: ways.carried,
      forwardingHeld: machine.forwardingHeld,
      writtenEndpoints: this.endpoints.all,
      nowMs: clock.nowMs(),
    });
  }

  /** Carries out plans until nothing differs; returns what could not be done. */
  async converge(target: Held, within: Scope): Promise<Problem[]> {
    const { picture, ways } = this.#parts;
    const scope = within === 'all' ? within : new Set([...within, ...keysOf(ways.choose())]);
    if (within === 'all') ways.choose();
    for (let round = 0; ; round++) {
      const plan = this.plan(target, scope);
      if (plan.steps.length === 0) {
        if (plan.problems.length === 0) this.endpoints.remember(target, scope);
        return plan.problems.map((detail) => ({ room: 'wireguard', detail }));
      }
      if (round === agentApplyRoundsMax) return [stubborn(plan.steps)];
      const problems = await this.#parts.machine.execute(plan.steps);
      this.endpoints.carriedOut(plan.steps);
      this.#parts.begun(plan.steps);
      if (!(await picture.lookAfter(plan.steps, this.#parts.switchesDone))) await this.lookAtAll(target);
      if (problems.length > 0) return problems;
    }
  }

  async lookAtAll(target: Held): Promise<void> {
    const { picture, ways, clock } = this.#parts;
    const first = !picture.wasSeen;
    await this.#parts.switchesDone();
    ways.lookBegins();
    await picture.lookAtAll();
    if (first) ways.adopt(picture.seen);
    for (const one of picture.seen.interfaces.values()) {
      if (one.ours) ways.weigh(one.name, picture.seen, clock.nowMs());
    }
    ways.keepOnly((tunnel) => target.entries.has(tunnel));
    this.#parts.looked();
  }
}

/** What differs however often it is written. */
function stubborn(steps: readonly Step[]): Problem {
  const left = steps.slice(0, 5).map(describeDrift);
  return { room: 'wireguard', detail: `Written ${agentApplyRoundsMax} times, and still: ${left.join('; ')}` };
}
