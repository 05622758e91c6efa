// Which daemons of FRR do not stay up, for the list of problems: one that dies once is started again and is no problem.
import { frrDeathsMax, frrDeathsMs } from '@powernode/core/limits/agent';
import { type DaemonSpec, keyOf, nameOf } from '../subsystems/frr/daemon-specs.ts';

export class Deaths {
  readonly #bySpec = new Map<string, { readonly spec: DaemonSpec; readonly why: string; atMs: number[] }>();

  add(spec: DaemonSpec, why: string, nowMs: number): void {
    const before = this.#bySpec.get(keyOf(spec))?.atMs ?? [];
    const atMs = [...before, nowMs].slice(-frrDeathsMax);
    this.#bySpec.set(keyOf(spec), { spec, why, atMs });
  }

  /** Those that died again and again lately, with why the last time. */
  lately(nowMs: number): { readonly network: string | null; readonly detail: string }[] {
    return [...this.#bySpec.values()].flatMap(({ spec, why, atMs }) => {
      const isOften = atMs.length === frrDeathsMax && nowMs - (atMs[0] ?? 0) < frrDeathsMs;
      return isOften
        ? [{ network: spec.network, detail: `FRR's ${nameOf(spec)} does not stay up: ${why}.` }]
        : [];
    });
  }
}
