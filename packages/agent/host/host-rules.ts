// The packet filters of this host that are not the agent's, as `nft --json` lists them: what iptables-nft, ufw, Docker
// and firewalld wrote among them. Only what the walk of a packet needs is read; the rest is kept as it is.
import { z } from 'zod';
import { CommandFailure, type Run } from '../ports/run.ts';

/** A chain; `hook` is null where only other chains lead to it. */
export interface HostChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook: string | null;
  readonly type: string | null;
  readonly policy: 'accept' | 'drop';
  readonly rules: Rule[];
}

/** The statements of a rule in their order, as in libnftables-json(5). */
export type Rule = readonly unknown[];

/** Chains by `family table name`. */
export type HostRules = ReadonlyMap<string, HostChain>;

/** --terse: without the elements of named sets, which may be many thousands. */
export const hostRulesCommand = { program: 'nft', args: ['--json', '--terse', 'list', 'ruleset'] };

const listing = z.object({
  nftables: z.array(
    z.object({
      chain: z
        .object({
          family: z.string(),
          table: z.string(),
          name: z.string(),
          hook: z.string().optional(),
          type: z.string().optional(),
          policy: z.string().optional(),
        })
        .optional(),
      rule: z
        .object({
          family: z.string(),
          table: z.string(),
          chain: z.string(),
          expr: z.array(z.unknown()),
        })
        .optional(),
    }),
  ),
});

export function chainKey(chain: Pick<HostChain, 'family' | 'table' | 'name'>): string {
  return `${chain.family} ${chain.table} ${chain.name}`;
}

export async function lookAtHostRules(run: Run): Promise<HostRules> {
  const outcome = await run.attempt(hostRulesCommand);
  if (outcome.exitCode !== 0) {
    throw new CommandFailure(
      hostRulesCommand,
      'the packet filters of this instance cannot be listed',
      outcome.stderr,
    );
  }
  return readHostRules(outcome.stdout);
}

export function readHostRules(text: string): HostRules {
  const chains = new Map<string, HostChain>();
  if (text.trim() === '') return chains;
  const parsed = listing.safeParse(JSON.parse(text));
  if (!parsed.success)
    throw new Error(`nft lists something unexpected: ${parsed.error.message.slice(0, 200)}`);
  for (const { chain, rule } of parsed.data.nftables) {
    if (chain !== undefined) {
      const { family, table, name, hook = null, type = null } = chain;
      const policy = chain.policy === 'drop' ? 'drop' : 'accept';
      chains.set(chainKey(chain), { family, table, name, hook, type, policy, rules: [] });
    }
    if (rule !== undefined) chains.get(chainKey({ ...rule, name: rule.chain }))?.rules.push(rule.expr);
  }
  return chains;
}
