// The subsystems of a machine: which there are, in which order they are set, and whose a step is.
import { addresses } from './addresses/subsystem.ts';
import { links } from './links/subsystem.ts';
import { nftables } from './nftables/subsystem.ts';
import { policyRules } from './policy-rules/subsystem.ts';
import { routes } from './routes/subsystem.ts';
import type { Step } from './step.ts';
import type { StepDescription, Subsystem } from './subsystem.ts';
import { wireguard } from './wireguard/subsystem.ts';

const listed: readonly Subsystem[] = [addresses, links, nftables, policyRules, routes, wireguard];

/** In the order in which they are set. */
export const subsystems: readonly Subsystem[] = inOrder(listed);

const byKind = new Map(subsystems.flatMap((one) => one.kinds.map((kind) => [kind, one] as const)));

export function subsystemOf(step: Step): Subsystem {
  const found = byKind.get(step.kind);
  if (found === undefined) throw new Error(`step ${step.kind} is no subsystem's`);
  return found;
}

export function describeStep(step: Step): StepDescription {
  return subsystemOf(step).describe(step);
}

/** Each behind all those that it names in `after`. */
export function inOrder(all: readonly Subsystem[]): Subsystem[] {
  const ordered: Subsystem[] = [];
  while (ordered.length < all.length) {
    const placed = new Set(ordered.map(({ name }) => name));
    const next = all.find(({ name, after }) => !placed.has(name) && after.every((one) => placed.has(one)));
    if (next === undefined) throw new Error('subsystems wait for each other, or for one that is not listed');
    ordered.push(next);
  }
  return ordered;
}
