// A host that is alive in every way but forwards nothing, and counts of what a host forwards. Both are tables of the
// lab's own in the host's ruleset, so that they neither touch nor depend on what the agent writes there.
import { ProductError } from '@powernode/core/errors';
import { z } from 'zod';
import type { LabPlan } from '../plan/plan.ts';
import { requireNode } from './fabric.ts';
import { attempt, inNetwork, nftFile, run } from './run.ts';

interface NodeOfLab {
  readonly plan: LabPlan;
  readonly name: string;
}

const brokenTable = 'inet lab_broken';

/** Drops every packet that would pass the host, of all families. What is for the host itself goes on. */
export async function breakForwarding({ plan, name }: NodeOfLab): Promise<void> {
  const text = `table ${brokenTable} {
  chain lab_forward {
    type filter hook forward priority -400; policy drop;
  }
}
`;
  await run(inNetwork(requireNode(plan, name).pid, nftFile(text)));
}

/** Repairing what is not broken is an error, because then some other host was meant. */
export async function repairForwarding({ plan, name }: NodeOfLab): Promise<void> {
  const outcome = await attempt(
    inNetwork(requireNode(plan, name).pid, nftFile(`delete table ${brokenTable}\n`)),
  );
  if (outcome.exitCode !== 0) throw new ProductError('conflict', `forwarding is not broken on "${name}"`);
}

export interface Flow {
  readonly from: string;
  readonly to: string;
}

/** Counts of one flow of addresses that a host forwards. */
export interface ForwardCount {
  readonly read: () => Promise<number>;
  readonly end: () => Promise<void>;
}

/** Counts packets between two addresses, both ways, that pass the host. One count at a time for each host. */
export async function countForwarded(at: NodeOfLab, flow: Flow): Promise<ForwardCount> {
  const table = 'inet lab_count';
  const family = flow.from.includes(':') ? 'ip6' : 'ip';
  const rule = (a: string, b: string) =>
    `    ${family} saddr ${a} ${family} daddr ${b} counter name lab_passed`;
  const text = `table ${table}
delete table ${table}
table ${table} {
  counter lab_passed { }
  chain lab_forward {
    type filter hook forward priority -300; policy accept;
${rule(flow.from, flow.to)}
${rule(flow.to, flow.from)}
  }
}
`;
  const inHost = () => requireNode(at.plan, at.name).pid;
  await run(inNetwork(inHost(), nftFile(text)));
  const list = { program: 'nft', args: ['-j', 'list', 'counter', ...table.split(' '), 'lab_passed'] };
  return {
    read: async () => readCounter(await run(inNetwork(inHost(), list))),
    end: async () => {
      await run(inNetwork(inHost(), nftFile(`delete table ${table}\n`)));
    },
  };
}

const counters = z.object({
  nftables: z.array(z.looseObject({ counter: z.object({ packets: z.int() }).optional() })),
});

function readCounter(text: string): number {
  const found = counters.parse(JSON.parse(text)).nftables.find((item) => item.counter !== undefined);
  return found?.counter?.packets ?? 0;
}
