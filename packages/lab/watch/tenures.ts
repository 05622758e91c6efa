// Who answered for an address when: from the answers that observers collected, the times in which each host answered,
// and whether two of them ever did so at once. All times are of one clock, that of the machine which the lab runs on.
import type { Answer } from '../inside/messages.ts';

/** A host answered from the first to the last moment; between two answers it had nobody silent for long. */
export interface Tenure {
  readonly name: string;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly answers: number;
}

export interface Overlap {
  readonly one: Tenure;
  readonly other: Tenure;
  readonly lengthMs: number;
}

/** Answers of one host belong together when they are at most so far apart. */
export const tenureGapMs = 1000;

export function tenuresOf(answers: readonly Answer[]): Tenure[] {
  const byName = Map.groupBy(answers, ({ name }) => name);
  const tenures = [...byName].flatMap(([name, own]) => tenuresOfHost(name, own));
  return tenures.sort((a, b) => a.firstMs - b.firstMs);
}

function tenuresOfHost(name: string, answers: readonly Answer[]): Tenure[] {
  const tenures: Tenure[] = [];
  for (const { at_ms, late_ms } of [...answers].sort((a, b) => a.at_ms - b.at_ms)) {
    // The service may have been run so much later than the kernel let the question in.
    const lastMs = at_ms - late_ms;
    const latest = tenures.at(-1);
    if (latest === undefined || at_ms - latest.lastMs > tenureGapMs) {
      tenures.push({ name, firstMs: at_ms, lastMs, answers: 1 });
    } else {
      const longer = { lastMs: Math.max(latest.lastMs, lastMs), answers: latest.answers + 1 };
      tenures[tenures.length - 1] = { ...latest, ...longer };
    }
  }
  return tenures;
}

/** Every two tenures of different hosts that share some time. */
export function overlapsOf(tenures: readonly Tenure[]): Overlap[] {
  return tenures.flatMap((one, index) =>
    tenures.slice(index + 1).flatMap((other) => {
      const lengthMs = Math.min(one.lastMs, other.lastMs) - Math.max(one.firstMs, other.firstMs);
      return one.name !== other.name && lengthMs >= 0 ? [{ one, other, lengthMs }] : [];
    }),
  );
}
