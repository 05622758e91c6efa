// What platform and agents wrote of things that must not happen, whoever is killed: failures with another cause than
// an absent database, whole documents asked for because hashes differ, drift where nobody touched anything.
import { readFile } from 'node:fs/promises';
import { agentLog } from '../../../packages/lab/fleet/agent.ts';
import type { Lab } from '../../../packages/lab/lab.ts';
import { nodeFolder } from '../../../packages/lab/stage/names.ts';

interface Line {
  /** The platform writes words, the agent numbers (pino's: 50 is an error). */
  readonly level: string | number;
  readonly msg: string;
  readonly err?: { readonly code?: string };
}

export function platformLog(lab: Lab, name: string): string {
  return `${nodeFolder(lab.plan.name, name)}/platform.log`;
}

export function hostLog(lab: Lab, name: string): string {
  return agentLog({ plan: lab.plan, name });
}

export async function oddLines(file: string): Promise<string[]> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  return lines.filter((text) => {
    const line = parsed(text);
    if (line === null) return false;
    const failed = line.level === 'error' || (typeof line.level === 'number' && line.level >= 50);
    if (failed) return line.err?.code !== 'database_unavailable';
    return /asks? for its document|asked for as a whole|^drift/.test(line.msg);
  });
}

/** null: a line of something else, or half of one, whose writer was killed. */
function parsed(text: string): Line | null {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return null;
  }
}
