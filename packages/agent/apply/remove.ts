// Taking away everything of the agent's that is found on the machine: what an empty document asks for.
import { ProductError } from '@powernode/core/errors';
import { agentApplyRoundsMax } from '@powernode/core/limits/agent';
import { NodeDocument } from '@powernode/core/wire/node-document';
import { makePlan } from '../plan/plan.ts';
import type { MachineParts } from '../subsystems/subsystem.ts';
import { asDocumented } from '../subsystems/wireguard/calls.ts';
import { KernelMachine, noListeners } from './kernel-machine.ts';

/** Returns how many steps it took; 0: there was nothing. */
export async function removeEverything(
  parts: Omit<MachineParts, 'keys' | keyof typeof noListeners>,
): Promise<number> {
  const machine = new KernelMachine({ ...parts, ...noListeners, keys: null });
  let count = 0;
  let problems: readonly string[] = [];
  for (let round = 0; round < agentApplyRoundsMax; round++) {
    const plan = makePlan({
      document: NodeDocument.empty,
      observed: await machine.lookAtEverything(),
      scope: 'all',
      choices: new Map(),
      extraAllowedIps: new Map(),
      forwardingHeld: machine.forwardingHeld,
      writtenEndpoints: new Map(),
      calls: asDocumented,
      nowMs: parts.clock.nowMs(),
    });
    if (plan.steps.length === 0) return count;
    count += plan.steps.length;
    problems = (await machine.execute(plan.steps)).map((problem) => problem.detail);
  }
  throw new ProductError(
    'command_failed',
    `Not everything could be taken away: ${problems.join(' ') || 'it comes back'}`,
  );
}
