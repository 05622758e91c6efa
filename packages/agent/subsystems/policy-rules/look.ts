// Reads what `ip -json rule show` prints.
import { ProductError } from '@powernode/core/errors';
import { z } from 'zod';
import type { Run } from '../../ports/run.ts';
import { routeProtocol } from '../routes/steps.ts';
import { sourceText } from './rules.ts';

const rule = z.object({
  priority: z.int(),
  src: z.string(),
  srclen: z.int().optional(),
  iif: z.string().optional(),
  table: z.string().optional(),
  suppress_prefixlen: z.int().optional(),
  suppress_ifgroup: z.string().optional(),
  protocol: z.union([z.string(), z.int()]).optional(),
});

/** The agent's rules. null: the kernel has no policy routing. */
export async function lookAtPolicyRules(run: Run): Promise<ReadonlySet<string> | null> {
  const found = await Promise.all(([6, 4] as const).map((family) => rulesOf(run, family)));
  const rules = found.flatMap((one) => one ?? []);
  return found.some((one) => one === null) ? null : new Set(rules);
}

async function rulesOf(run: Run, family: 4 | 6): Promise<string[] | null> {
  const outcome = await run.attempt({ program: 'ip', args: ['-json', `-${family}`, 'rule', 'show'] });
  if (outcome.exitCode !== 0) {
    if (/not supported/i.test(outcome.stderr)) return null;
    throw new ProductError('command_failed', `ip -${family} rule show: ${outcome.stderr.trim()}`);
  }
  return parsePolicyRules(outcome.stdout, family);
}

export function parsePolicyRules(text: string, family: 4 | 6): string[] {
  let value: unknown;
  try {
    value = text.trim() === '' ? [] : JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = z.array(rule).safeParse(value);
  if (!parsed.success) {
    throw new ProductError('command_failed', `ip printed rules that cannot be read: ${text.slice(0, 200)}`);
  }
  return parsed.data.flatMap((one) => {
    if (String(one.protocol) !== String(routeProtocol)) return [];
    const arriving = one.iif === undefined ? '' : ` iif ${one.iif}`;
    const kept =
      one.suppress_prefixlen === undefined ? '' : ` suppress_prefixlength ${one.suppress_prefixlen}`;
    const withoutGroup =
      one.suppress_ifgroup === undefined ? '' : ` suppress_ifgroup ${one.suppress_ifgroup}`;
    const from = sourceText(one.src, one.srclen, family);
    return [
      `from ${from}${arriving} lookup ${one.table ?? 'main'}${kept}${withoutGroup} pref ${one.priority}`,
    ];
  });
}
