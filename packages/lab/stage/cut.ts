// Cutting and repairing paths. What is cut is not remembered but read from the kernel: a chain for each cut
// pair in the fabric's bridge table, a link that is down, or a chain of this machine between two platforms.
import { ProductError } from '@powernode/core/errors';
import { z } from 'zod';
import { type LabPlan, nodePort, type PlatformPlan, platformNamed } from '../plan/plan.ts';
import { type Barrier, type CutPlan, planCut } from '../plan/reach.ts';
import { fabricMark, requireFabric } from './fabric.ts';
import { machineTable } from './names.ts';
import { findHolder } from './process.ts';
import { attempt, type Command, inNetwork, ipBatch, nftFile, run } from './run.ts';

export interface Pair {
  readonly a: string;
  readonly b: string;
}

export async function cut(plan: LabPlan, pair: Pair): Promise<void> {
  const what = planCut(plan, pair);
  const fabric = requireFabric(plan.name).pid;
  switch (what.kind) {
    case 'links':
      await run(inNetwork(fabric, setLinks(what, 'down')));
      return;
    case 'barrier':
      await run(inNetwork(fabric, nftFile(bridgeCut(pair, what))));
      return;
    case 'platforms':
      await run(nftFile(platformCut(plan, pair)));
      return;
  }
}

/** Healing what is not cut is an error, because then some other pair was meant. */
export async function heal(plan: LabPlan, pair: Pair): Promise<void> {
  const what = planCut(plan, pair);
  const fabric = requireFabric(plan.name).pid;
  const notCut = new ProductError('conflict', `the path between "${pair.a}" and "${pair.b}" is not cut`);
  if (what.kind === 'links') {
    const down = await portsDown(fabric);
    if (!what.ports.some((port) => down.has(port))) throw notCut;
    await run(inNetwork(fabric, setLinks(what, 'up')));
    return;
  }
  const table = what.kind === 'barrier' ? bridgeTable : machineTable(plan.name);
  const removal = nftFile(`delete chain ${table} ${chainName(pair)}\n`);
  const outcome = await attempt(what.kind === 'barrier' ? inNetwork(fabric, removal) : removal);
  if (outcome.exitCode !== 0) throw notCut;
  if (what.kind === 'platforms' && (await chainsOf({ table })).length === 0) {
    await run(nftFile(`delete table ${table}\n`));
  }
}

/** The cut pairs and the links that are down, for people. */
export async function listCuts(plan: LabPlan): Promise<Pair[]> {
  const fabric = findHolder(fabricMark(plan.name))?.pid;
  if (fabric === undefined) return [];
  const chains = [
    ...(await chainsOf({ table: bridgeTable, pid: fabric })),
    ...(await chainsOf({ table: machineTable(plan.name) })),
  ];
  const pairs = chains.flatMap((chain) => {
    const match = /^cut_([^_]+)_([^_]+)$/.exec(chain);
    return match === null ? [] : [{ a: match[1] ?? '', b: match[2] ?? '' }];
  });
  return [...pairs, ...(await linksDown(plan, fabric))];
}

export const bridgeTable = 'bridge lab_cut';

/** The same for both orders of the names. */
function chainName({ a, b }: Pair): string {
  return `cut_${[a, b].sort().join('_')}`;
}

export function bridgeCut(pair: Pair, barrier: Barrier): string {
  return barrierChain(chainName(pair), barrier);
}

/** A chain of the bridges that drops what must not pass. */
export function barrierChain(chain: string, { guards, pairs }: Barrier): string {
  const rules = guards.flatMap(({ port, of, addresses }) =>
    addresses.flatMap((address) => {
      const family = address.includes(':') ? 'ip6' : 'ip';
      const [fromPort, toPort] = of === 'far' ? ['daddr', 'saddr'] : ['saddr', 'daddr'];
      return [
        `    iifname "${port}" ${family} ${fromPort} ${address} drop`,
        `    oifname "${port}" ${family} ${toPort} ${address} drop`,
      ];
    }),
  );
  for (const { one, other } of pairs) {
    rules.push(
      `    iifname "${one}" oifname "${other}" drop`,
      `    iifname "${other}" oifname "${one}" drop`,
    );
  }
  return chainText({ table: bridgeTable, chain, hook: 'forward', rules });
}

/**
 * Between processes of one machine the source address says nothing: the kernel takes the first of its own. The
 * sender's group tells the platforms apart. Only what goes to the other's port is dropped, which stops answers
 * as well; dropping by address alone would also hit what they answer to others on this machine.
 */
function platformCut(plan: LabPlan, pair: Pair): string {
  const [one, other] = [platformNamed(plan, pair.a), platformNamed(plan, pair.b)];
  const stop = (from: PlatformPlan, to: PlatformPlan) => [
    `    meta skgid ${from.groupId} ip daddr ${to.address4} tcp dport ${nodePort} drop`,
    `    meta skgid ${from.groupId} ip6 daddr ${to.address6} tcp dport ${nodePort} drop`,
  ];
  return chainText({
    table: machineTable(plan.name),
    chain: chainName(pair),
    hook: 'output',
    rules: [...stop(one, other), ...stop(other, one)],
  });
}

function chainText(chain: { table: string; chain: string; hook: string; rules: readonly string[] }): string {
  return `table ${chain.table} {
  chain ${chain.chain} {
    type filter hook ${chain.hook} priority 0; policy accept;
  }
}
flush chain ${chain.table} ${chain.chain}
table ${chain.table} {
  chain ${chain.chain} {
${chain.rules.join('\n')}
  }
}
`;
}

function setLinks(what: Extract<CutPlan, { kind: 'links' }>, state: 'up' | 'down'): Command {
  return ipBatch(what.ports.map((port) => `link set dev ${port} ${state}`));
}

const chainList = z.object({
  nftables: z.array(z.looseObject({ chain: z.object({ name: z.string() }).optional() })),
});

export async function chainsOf(where: { readonly table: string; readonly pid?: number }): Promise<string[]> {
  const list: Command = { program: 'nft', args: ['-j', 'list', 'table', ...where.table.split(' ')] };
  const outcome = await attempt(where.pid === undefined ? list : inNetwork(where.pid, list));
  if (outcome.exitCode !== 0) return [];
  return chainList.parse(JSON.parse(outcome.stdout)).nftables.flatMap((item) => item.chain?.name ?? []);
}

const linkList = z.array(z.looseObject({ ifname: z.string(), flags: z.array(z.string()) }));

async function portsDown(fabric: number): Promise<Set<string>> {
  const text = await run(inNetwork(fabric, { program: 'ip', args: ['-j', 'link', 'show'] }));
  const links = linkList.parse(JSON.parse(text));
  return new Set(links.filter((link) => !link.flags.includes('UP')).map((link) => link.ifname));
}

async function linksDown(plan: LabPlan, fabric: number): Promise<Pair[]> {
  const down = await portsDown(fabric);
  const wires = [
    ...plan.hosts.flatMap((host) => host.attachments.map((wire) => ({ name: host.name, wire }))),
    ...plan.nats.flatMap((nat) => [nat.wan, nat.lan].map((wire) => ({ name: nat.name, wire }))),
  ];
  return wires
    .filter(({ wire }) => down.has(wire.port))
    .map(({ name, wire }) => ({ a: name, b: wire.segment }));
}
