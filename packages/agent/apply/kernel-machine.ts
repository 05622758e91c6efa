// The machine itself: all its subsystems as one. What to do is decided in plan/, how in subsystems/.
import { ProductError } from '@powernode/core/errors';
import type { NodeSubsystem } from '@powernode/core/intent/common';
import { batchFailures } from '../subsystems/failures.ts';
import { IpRoute } from '../subsystems/iproute/iproute.ts';
import { markedInterfaces } from '../subsystems/links/userspace.ts';
import type { LookScope } from '../subsystems/look-scope.ts';
import type { RuleCount } from '../subsystems/nftables/rule-counters.ts';
import { NftTable } from '../subsystems/nftables/table.ts';
import {
  type ByFamily,
  nothingObserved,
  type Observation,
  type ObservedState,
} from '../subsystems/observed.ts';
import { LookFailure, type Problem } from '../subsystems/problem.ts';
import { subsystemOf, subsystems } from '../subsystems/registry.ts';
import { Forwarding, storeNow } from '../subsystems/routes/forwarding.ts';
import type { Step } from '../subsystems/step.ts';
import type { MachineParts, OpenSubsystem, Subsystem, SubsystemHealth } from '../subsystems/subsystem.ts';
import type { Machine } from './machine.ts';

/** For those who only look, or take away what is there. */
export const noListeners = {
  store: storeNow,
  bridges: [] as readonly string[],
  interfaceEnded: () => undefined,
  rulesLoading: () => undefined,
  rulesLoaded: () => undefined,
} satisfies Partial<MachineParts>;

export class KernelMachine implements Machine {
  readonly bridges: readonly string[];
  readonly exportRoutes: boolean;
  readonly #forwarding: Forwarding;
  readonly #table: NftTable;
  /** In the order of subsystems. */
  readonly #open: ReadonlyMap<Subsystem, OpenSubsystem>;

  constructor(parts: MachineParts) {
    this.bridges = parts.bridges;
    this.exportRoutes = parts.exportRoutes ?? false;
    this.#forwarding = new Forwarding(parts.settings, parts.folder, parts.store);
    this.#table = new NftTable(parts);
    const ip = new IpRoute(parts.run, markedInterfaces);
    const shared = { ...parts, ip, forwarding: this.#forwarding, table: this.#table };
    this.#open = new Map(subsystems.map((one) => [one, one.open(shared)]));
  }

  get forwardingHeld(): ByFamily {
    return this.#forwarding.held;
  }

  /** What the firewall counted for each rule since this process came, as of the last look that saw it. */
  get ruleCounts(): ReadonlyMap<string, RuleCount> {
    return this.#table.ruleCounts;
  }

  /** How each part is, by the name that the platform knows it by. `problems`: those of the last turn. */
  health(problems: readonly Problem[]): ReadonlyMap<NodeSubsystem, SubsystemHealth> {
    const health = new Map<NodeSubsystem, SubsystemHealth>();
    for (const [{ reported }, open] of this.#open) {
      const found = open.health(problems.filter((problem) => problem.subsystem === reported.as));
      const known = health.get(reported.as);
      if (known === undefined || known.message === '') health.set(reported.as, found);
    }
    return health;
  }

  async look(scope: LookScope): Promise<Observation> {
    const looks = [...this.#open].flatMap(([subsystem, open]) => {
      const look = open.look(scope);
      return look === null ? [] : look.catch((error: unknown) => Promise.reject(failureOf(subsystem, error)));
    });
    const observations = await Promise.all(looks);
    return (state) => observations.reduce((at, put) => put(at), state);
  }

  async lookAtEverything(): Promise<ObservedState> {
    const put = await this.look({ kind: 'everything' });
    return put(nothingObserved);
  }

  async execute(steps: readonly Step[]): Promise<Problem[]> {
    const problems: Problem[] = [];
    const failed = new Set<string>();
    for (const batch of batchesOf(steps)) {
      const able = batch.steps.filter((step) => !needsOf(step).some((name) => failed.has(name)));
      if (able.length === 0) continue;
      try {
        problems.push(...((await this.#open.get(batch.of)?.execute(able)) ?? []));
      } catch (error) {
        if (!(error instanceof ProductError)) throw error;
        problems.push(...batchFailures(able, error));
        failed.add(batch.of.name);
      }
    }
    return problems;
  }
}

function failureOf({ reported }: Subsystem, error: unknown): unknown {
  return error instanceof ProductError && !(error instanceof LookFailure)
    ? new LookFailure(reported, error)
    : error;
}

function needsOf(step: Step): readonly string[] {
  return subsystemOf(step).needs?.(step) ?? [];
}

interface Batch {
  readonly of: Subsystem;
  readonly steps: Step[];
}

/** Steps that follow each other and can be carried out by one call. */
function batchesOf(steps: readonly Step[]): Batch[] {
  const batches: Batch[] = [];
  let last: string | null = null;
  for (const step of steps) {
    const of = subsystemOf(step);
    const name = of.batchOf(step);
    if (name !== null && name === last) batches.at(-1)?.steps.push(step);
    else batches.push({ of, steps: [step] });
    last = name;
  }
  return batches;
}
