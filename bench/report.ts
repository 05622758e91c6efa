// One result of a benchmark, and how results are shown: a table for people, JSON beside it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, totalmem } from 'node:os';
import path from 'node:path';

export interface Figure {
  /** Which benchmark: "compile", "deliver", … */
  readonly bench: string;
  /** What was measured, with its size: "attach one, full mesh of 10000". */
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The figure that this one is compared to, measured in the same run. */
  readonly beside?: { readonly what: string; readonly value: number };
  /** What the figure should be below (or above, for rates). */
  readonly target?: { readonly value: number; readonly better: 'lower' | 'higher' };
  /** Why a target is missed, or what to know when reading the figure. */
  readonly note?: string;
}

export class Report {
  readonly figures: Figure[] = [];
  readonly othersShares: Record<string, number> = {};
  readonly skipped: { readonly bench: string; readonly why: string }[] = [];

  add(figure: Figure): void {
    this.figures.push(figure);
    process.stdout.write(`${lineOf(figure)}\n`);
  }

  heading(text: string): void {
    process.stdout.write(`\n${text}\n`);
  }

  /** What could not be measured here, and why. */
  skip(bench: string, why: string): void {
    this.skipped.push({ bench, why });
    process.stdout.write(`  not measured: ${why}\n`);
  }

  /** What share of the machine other programs had while a benchmark ran. */
  disturbed(bench: string, share: number): void {
    this.othersShares[bench] = share;
    process.stdout.write(`  other programs had ${(share * 100).toFixed(0)} % of the machine meanwhile\n`);
  }

  missed(): Figure[] {
    return this.figures.filter((figure) => figure.target !== undefined && !meets(figure));
  }

  write(file: string): void {
    mkdirSync(path.dirname(file), { recursive: true });
    const machine = { node: process.version, arch: arch(), cores: cpus().length, memory_bytes: totalmem() };
    const at = new Date().toISOString();
    const { figures, skipped, othersShares: others_shares } = this;
    writeFileSync(file, `${JSON.stringify({ at, machine, others_shares, figures, skipped }, null, 2)}\n`);
  }
}

function meets(figure: Figure): boolean {
  if (figure.target === undefined) return true;
  return figure.target.better === 'lower'
    ? figure.value < figure.target.value
    : figure.value > figure.target.value;
}

function lineOf(figure: Figure): string {
  const value = `${shortNumber(figure.value)} ${figure.unit}`;
  const parts = [`  ${figure.what.padEnd(62)} ${value.padStart(14)}`];
  if (figure.beside !== undefined) {
    const ratio = figure.beside.value / figure.value;
    parts.push(`${figure.beside.what}: ${shortNumber(figure.beside.value)} (${shortNumber(ratio)} times)`);
  }
  if (figure.target !== undefined) {
    const sign = figure.target.better === 'lower' ? '<' : '>';
    parts.push(`${meets(figure) ? 'meets' : 'MISSES'} ${sign} ${shortNumber(figure.target.value)}`);
  }
  if (figure.note !== undefined) parts.push(figure.note);
  return parts.join('   ');
}

export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

/** The value below which so many of the sorted values lie. */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * fraction) - 1)] ?? Number.NaN;
}
