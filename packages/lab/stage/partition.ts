// Parting some nodes of a lab from all others at once, in one transaction of the kernel, as a dead switch between two
// rooms would. One partition at a time; who is in it is read from the kernel: a chain named after each.
import type { LabPlan } from '../plan/plan.ts';
import { planPartition } from '../plan/reach.ts';
import { barrierChain, bridgeTable, chainsOf } from './cut.ts';
import { fabricMark, requireFabric } from './fabric.ts';
import { findHolder } from './process.ts';
import { inNetwork, nftFile, run } from './run.ts';

const chain = 'partition';
const memberPrefix = 'parted_';

/** Replaces the partition that there is; nobody named: all are together again. */
export async function part(plan: LabPlan, names: readonly string[]): Promise<void> {
  const barrier = planPartition(plan, names);
  const fabric = requireFabric(plan.name).pid;
  const standing = await chainsOf({ table: bridgeTable, pid: fabric });
  const old = standing.filter((name) => name === chain || name.startsWith(memberPrefix));
  const lines = old.map((name) => `delete chain ${bridgeTable} ${name}`);
  if (names.length > 0) {
    const members = names.map((name) => `add chain ${bridgeTable} ${memberPrefix}${name}`);
    lines.push(`add table ${bridgeTable}`, ...members, barrierChain(chain, barrier));
  }
  if (lines.length > 0) await run(inNetwork(fabric, nftFile(`${lines.join('\n')}\n`)));
}

/** Who is parted from all others; empty: nobody. */
export async function listParted(plan: LabPlan): Promise<string[]> {
  const fabric = findHolder(fabricMark(plan.name))?.pid;
  if (fabric === undefined) return [];
  const chains = await chainsOf({ table: bridgeTable, pid: fabric });
  return chains
    .filter((name) => name.startsWith(memberPrefix))
    .map((name) => name.slice(memberPrefix.length));
}
