// What the programs inside hosts have in common: how they are told, how they speak, the clock, and their end.
import type { z } from 'zod';
import type { ProgramLine } from './messages.ts';

export function readOptions<T>(schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(process.argv[2] ?? 'null'));
}

export function say(line: ProgramLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Milliseconds of the clock that all hosts of a lab share. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** When whoever started the program closes its input, or is gone, it gives its report and ends. */
export function untilAsked(report: () => Extract<ProgramLine, { report: unknown }>['report']): void {
  const end = () => {
    process.stdout.write(`${JSON.stringify({ report: report() })}\n`, () => process.exit(0));
  };
  process.stdin.on('end', end).on('error', end).resume();
}

/** The longest time between two of the moments told. */
export class GapMeter {
  #lastMs: number | null = null;
  #longestMs = 0;

  tick(): void {
    const now = nowMs();
    if (this.#lastMs !== null) this.#longestMs = Math.max(this.#longestMs, now - this.#lastMs);
    this.#lastMs = now;
  }

  get lastMs(): number | null {
    return this.#lastMs;
  }

  /** Until now, so that what does not come back counts. */
  longestMs(): number {
    const tail = this.#lastMs === null ? 0 : nowMs() - this.#lastMs;
    return Math.round(Math.max(this.#longestMs, tail) * 10) / 10;
  }
}
