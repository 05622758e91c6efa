// How whatever a lab makes on this machine is named: folders, process marks, interfaces, tables. A lab is the
// same lab when it has the same folder, so labs of different base folders never take each other for theirs.
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { PublicBlocks } from '../plan/plan.ts';

/**
 * Where labs are kept. Not in /run, which is often a memory file system too small for a platform's database.
 * `POWERNODE_LAB_DIR` names another place.
 */
export function baseFolder(): string {
  return path.resolve(process.env['POWERNODE_LAB_DIR'] ?? '/var/lib/powernode-lab');
}

export function labFolder(lab: string): string {
  return path.join(baseFolder(), lab);
}

export function nodeFolder(lab: string, node: string): string {
  return path.join(labFolder(lab), node);
}

/** A node of a lab, as the processes that belong to it are marked. */
export interface Mark {
  readonly lab: string;
  readonly node: string;
}

/** Environment variable that everything started by a lab inherits: the folder of the node. */
export const markVariable = 'POWERNODE_LAB_NODE';

export function markEnvironment(mark: Mark): Record<string, string> {
  return { [markVariable]: nodeFolder(mark.lab, mark.node) };
}

/** null when the folder is none of a lab in this base folder. */
export function markOf(folder: string): Mark | null {
  const lab = path.dirname(folder);
  return path.dirname(lab) === baseFolder() ? { lab: path.basename(lab), node: path.basename(folder) } : null;
}

/**
 * The wire to this machine, where the platforms run. Its name is made of the block of the public segment:
 * creating it claims the block, so that two labs on one machine never have the same addresses.
 */
export function machineLink(blocks: PublicBlocks): string {
  return `pnl-${blockName(blocks)}`;
}

/** Its far end, until that is moved into the fabric. */
export function machineLinkEnd(blocks: PublicBlocks): string {
  return `pne-${blockName(blocks)}`;
}

function blockName(blocks: PublicBlocks): string {
  return blocks.prefix4.split('.').slice(0, 3).join('-');
}

const aliasBeginning = 'powernode-lab ';

/** What `ip link` shows with that wire, by which it is found again without any record. */
export function machineAlias(lab: string): string {
  return aliasBeginning + labFolder(lab);
}

/** The lab that an alias names, or null. */
export function labOfAlias(alias: string): string | null {
  if (!alias.startsWith(aliasBeginning)) return null;
  const folder = alias.slice(aliasBeginning.length);
  return path.dirname(folder) === baseFolder() ? path.basename(folder) : null;
}

/** In this machine's own ruleset, and there only while two platforms are cut from each other. */
export function machineTable(lab: string): string {
  const digest = createHash('sha256').update(labFolder(lab)).digest('hex').slice(0, 8);
  return `inet powernode_lab_${lab}_${digest}`;
}
