// Loading the table and reading it back. What is read is compared by structure and by the hash that each rule
// carries: listings differ between versions of nft and are never compared as text.
import { ProductError } from '@powernode/core/errors';
import { z } from 'zod';
import { chainName, type Ruleset, tableName } from '../../plan/ruleset.ts';
import type { SeenRuleset } from '../../plan/seen.ts';
import { type Command, complaint, mustRun, type Run } from '../../ports/run.ts';

export const listCommand: Command = {
  program: 'nft',
  args: ['--json', 'list', 'table', 'inet', tableName],
};

const listing = z.object({
  nftables: z.array(
    z.object({
      chain: z
        .object({
          name: z.string(),
          hook: z.string().optional(),
          prio: z.unknown(),
          policy: z.string().optional(),
        })
        .optional(),
      set: z.object({ name: z.string(), elem: z.array(z.unknown()).optional() }).optional(),
      rule: z.object({ chain: z.string(), comment: z.string().optional() }).optional(),
    }),
  ),
});

export async function loadRuleset(run: Run, ruleset: Ruleset): Promise<void> {
  await mustRun(run, { program: 'nft', args: ['-f', '-'], input: ruleset.text });
}

export async function removeRuleset(run: Run): Promise<void> {
  // Declared first, so that it may be gone already.
  const input = `table inet ${tableName}\ndelete table inet ${tableName}\n`;
  await mustRun(run, { program: 'nft', args: ['-f', '-'], input });
}

/** null: there is no such table. */
export async function lookAtRuleset(run: Run): Promise<SeenRuleset | null> {
  const outcome = await run.attempt(listCommand);
  if (outcome.exitCode === 0) return readListing(outcome.stdout);
  if (/no such file or directory/i.test(outcome.stderr)) return null;
  throw complaint(listCommand, outcome);
}

export function readListing(text: string): SeenRuleset {
  const { nftables } = parseListing(text);
  const rules = nftables.flatMap((one) => one.rule ?? []);
  const hashes = new Set(
    rules.map((rule) => /^powernode ([0-9a-f]{16})$/.exec(rule.comment ?? '')?.[1] ?? null),
  );
  const [hash] = hashes;
  const chains = nftables.flatMap((one) => one.chain ?? []);
  const fits = (chain: (typeof chains)[number]) =>
    chain.name === chainName && chain.hook === 'forward' && chain.policy === 'accept' && chain.prio === 0;
  return {
    hash: hashes.size === 1 ? (hash ?? null) : null,
    ruleCount: rules.length,
    chainFits: chains.length === 1 && chains.every(fits),
    sets: new Map(nftables.flatMap(({ set }) => (set === undefined ? [] : [[set.name, namesIn(set.elem)]]))),
  };
}

function namesIn(elements: readonly unknown[] | undefined): string[] {
  return (elements ?? []).map(String).sort();
}

function parseListing(text: string): z.infer<typeof listing> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = listing.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ProductError(
    'command_failed',
    `nft printed a listing that cannot be read: ${text.slice(0, 200)}`,
  );
}
