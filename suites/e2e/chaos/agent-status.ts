// What a running agent says of itself, asked as its machine's owner would: `powernode agent status --json`.
import path from 'node:path';
import { checkout } from '../../../packages/lab/fleet/programs.ts';
import type { Lab } from '../../../packages/lab/lab.ts';

export interface AgentStatus {
  readonly connected: boolean;
  readonly held: { readonly hash: string } | null;
  readonly applied: { readonly hash: string } | null;
  readonly problems: readonly unknown[];
}

export async function readAgent(lab: Lab, host: string): Promise<AgentStatus> {
  const state = lab.environment(host)['POWERNODE_STATE_DIR'] ?? '';
  const program = path.join(checkout, 'packages/agent/main.ts');
  const args = [program, 'status', '--state-dir', state, '--json'];
  const { exitCode, stdout, stderr } = await lab.exec(host, { program: process.execPath, args });
  if (exitCode !== 0) throw new Error(`the status of ${host}'s agent cannot be had: ${stderr}`);
  return JSON.parse(stdout) as AgentStatus;
}
