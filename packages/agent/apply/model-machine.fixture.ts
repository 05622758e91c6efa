// Test support: a machine that is a model, with a switch for each way in which a real one fails.
import { ProductError } from '@powernode/core/errors';
import { batchFailures } from '../subsystems/failures.ts';
import { asksIp } from '../subsystems/iproute/look.ts';
import type { LookScope } from '../subsystems/look-scope.ts';
import { applySteps, type ModelKernel } from '../subsystems/model-kernel.fixture.ts';
import {
  type ByFamily,
  nothingObserved,
  type Observation,
  type ObservedPeer,
  type ObservedState,
} from '../subsystems/observed.ts';
import type { Problem } from '../subsystems/problem.ts';
import { describeStep, subsystemOf } from '../subsystems/registry.ts';
import type { Step } from '../subsystems/step.ts';
import { looksAfter, withDevice } from '../subsystems/wireguard/look.ts';
import type { Machine } from './machine.ts';

export class ModelMachine implements Machine {
  readonly bridges: readonly string[] = [];
  kernel: ModelKernel = { seen: nothingObserved, forwardingHeld: nothingObserved.forwarding };
  /** Every call in order: `look`, `look wg-a`, `look wg-a (2)`, or a step by its kind and key. */
  readonly log: string[] = [];
  /** Steps whose kind this says are refused with these words. */
  refuses: (step: Step) => string | null = () => null;
  /** Steps whose kind this says are accepted and not done. */
  ignores: (step: Step) => boolean = () => false;
  lookFails: Error | null = null;
  /** Steps at which the agent meets an error of its own. */
  breaks: (step: Step) => Error | null = () => null;

  get forwardingHeld(): ByFamily {
    return this.kernel.forwardingHeld;
  }

  async look(scope: LookScope): Promise<Observation> {
    if (scope.kind === 'everything') {
      this.log.push('look');
      if (this.lookFails !== null) throw this.lookFails;
      const { seen } = this.kernel;
      return () => seen;
    }
    const looks = [...this.#linksIn(scope), ...this.#devicesIn(scope), ...this.#rulesIn(scope)];
    const { seen } = this.kernel;
    // Whatever else there is costs nothing to look at.
    const begin = ({ interfaces, routes, ruleset, forwarding }: ObservedState): ObservedState => {
      return { ...seen, interfaces, routes, ruleset, forwarding };
    };
    return (state) => looks.reduce((at, put) => put(at), begin(state));
  }

  #linksIn(scope: LookScope): Observation[] {
    if (!asksIp(scope)) return [];
    this.log.push('look links');
    const { interfaces, routes } = this.kernel.seen;
    return [
      (state) => ({
        ...state,
        routes,
        interfaces: new Map(
          [...interfaces].map(([name, one]) => {
            return [name, { ...one, device: state.interfaces.get(name)?.device ?? null }];
          }),
        ),
      }),
    ];
  }

  #devicesIn(scope: LookScope): Observation[] {
    if (scope.kind === 'tunnels') return [this.#device(scope.interface, '')];
    if (scope.kind !== 'after') return [];
    return looksAfter(scope.steps, scope.before).map(({ name, some }) =>
      this.#device(name, some === null ? '' : ` (${some.changed.size})`),
    );
  }

  #device(name: string, suffix: string): Observation {
    this.log.push(`look ${name}${suffix}`);
    const device = this.kernel.seen.interfaces.get(name)?.device ?? null;
    return (state) => withDevice(state, name, device);
  }

  #rulesIn(scope: LookScope): Observation[] {
    const isAfter =
      scope.kind === 'after' && scope.steps.some((step) => subsystemOf(step).name === 'nftables');
    if (!isAfter && scope.kind !== 'rules') return [];
    this.log.push(isAfter ? 'look rules' : 'look all rules');
    const { ruleset } = this.kernel.seen;
    return [(state) => ({ ...state, ruleset })];
  }

  async execute(steps: readonly Step[]): Promise<Problem[]> {
    const problems: Problem[] = [];
    for (const step of steps) {
      this.log.push(`${step.kind} ${describeStep(step).key}`);
      const broken = this.breaks(step);
      if (broken !== null) throw broken;
      const refusal = this.refuses(step);
      const detail = refusal ?? (this.ignores(step) ? null : this.#apply(step));
      if (detail !== null)
        problems.push(...batchFailures([step], new ProductError('command_failed', detail)));
    }
    return problems;
  }

  /** What the kernel complains of; null: it is done. */
  #apply(step: Step): string | null {
    try {
      this.kernel = applySteps(this.kernel, [step]);
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** What somebody does to the machine by hand. */
  tamper(change: (seen: ObservedState) => ObservedState): void {
    this.kernel = { ...this.kernel, seen: change(this.kernel.seen) };
  }

  /** What WireGuard does by itself to one peer. */
  live(name: string, publicKey: string, change: Partial<ObservedPeer>): void {
    this.tamper((seen) => {
      const one = seen.interfaces.get(name);
      const peer = one?.device?.peers.get(publicKey);
      if (one?.device == null || peer === undefined) throw new Error(`no peer ${publicKey} on ${name}`);
      const peers = new Map(one.device.peers).set(publicKey, { ...peer, ...change });
      const device = { ...one.device, peers };
      return { ...seen, interfaces: new Map(seen.interfaces).set(name, { ...one, device }) };
    });
  }

  /** The log since the last time. */
  took(): string[] {
    return this.log.splice(0);
  }
}
