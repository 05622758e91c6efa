// What machines have outside their overlays, read for whoever chooses or evaluates a block of a network; and the refusal
// of a block that covers any of it.
import { ProductError } from '@powernode/core/errors';
import { familyOf, parseAddress } from '@powernode/core/net/address';
import { isClusterInterface } from '@powernode/core/net/pod-slices';
import { contains, insideBlocks, isInsideBlock, type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import { blocksInUse, type Covered, coveredBy, type MachineUnderlay } from '@powernode/core/net/underlay';
import type { Trx } from '../../context.ts';

export interface NamedUnderlay extends MachineUnderlay {
  readonly instanceId: string;
  readonly hostname: string;
}

interface Scope {
  readonly accountId: string;
  /** Only the members of this network, with the endpoints by which they meet. */
  readonly networkId?: string;
  /** Only this machine. */
  readonly instanceId?: string;
}

/** Machines that are not terminated, in the order in which they enrolled. */
export async function underlaysOf(trx: Trx, scope: Scope): Promise<NamedUnderlay[]> {
  const { accountId, networkId, instanceId } = scope;
  let query = trx
    .selectFrom('instances as i')
    .select(['i.id', 'i.hostname', 'i.addresses', 'i.observed_address', 'i.underlay'])
    .where('i.account_id', '=', accountId)
    .where('i.terminated_at', 'is', null)
    .orderBy('i.id');
  if (instanceId !== undefined) query = query.where('i.id', '=', instanceId);
  if (networkId !== undefined) {
    query = query.where('i.id', 'in', (eb) =>
      eb.selectFrom('peers').select('instance_id').where('network_id', '=', networkId),
    );
  }
  const endpoints = await endpointsOf(trx, scope);
  return (await query.execute()).map((row) => ({
    instanceId: row.id,
    hostname: row.hostname,
    addresses: row.addresses,
    observedAddress: row.observed_address,
    facts: row.underlay,
    endpoints: endpoints.get(row.id) ?? [],
  }));
}

/** Where others are told to meet each machine, and where it sees those that it meets. */
async function endpointsOf(
  trx: Trx,
  { accountId, networkId, instanceId }: Scope,
): Promise<Map<string, string[]>> {
  let query = trx
    .selectFrom('peers as p')
    .select(['p.instance_id', 'p.endpoint', 'p.fallback_endpoints', 'p.direct_endpoint'])
    .where('p.account_id', '=', accountId);
  let seen = trx
    .selectFrom('tunnel_observations as o')
    .select(['o.instance_id', 'o.endpoint'])
    .distinct()
    .where('o.account_id', '=', accountId)
    .where('o.endpoint', 'is not', null);
  if (networkId !== undefined) {
    query = query.where('p.network_id', '=', networkId);
    seen = seen.where('o.instance_id', 'in', (eb) =>
      eb.selectFrom('peers').select('instance_id').where('network_id', '=', networkId),
    );
  }
  if (instanceId !== undefined) {
    query = query.where('p.instance_id', '=', instanceId);
    seen = seen.where('o.instance_id', '=', instanceId);
  }
  const found = new Map<string, string[]>();
  const add = (id: string, endpoint: string | null) => {
    if (endpoint !== null) found.set(id, [...(found.get(id) ?? []), endpoint]);
  };
  for (const row of await query.execute()) {
    for (const one of [row.endpoint, ...row.fallback_endpoints, row.direct_endpoint]) {
      add(row.instance_id, one);
    }
  }
  for (const row of await seen.execute()) add(row.instance_id, row.endpoint);
  return found;
}

/** The platform as all machines of the account reach it: covered for one of them, it is lost for the account. */
export async function platformUnderlay(trx: Trx, accountId: string): Promise<NamedUnderlay[]> {
  const machines = await underlaysOf(trx, { accountId });
  return machines.flatMap(({ instanceId, hostname, facts }) => {
    const platform = facts.filter(({ kind }) => kind === 'platform');
    if (platform.length === 0) return [];
    return [{ instanceId, hostname, addresses: [], observedAddress: null, facts: platform, endpoints: [] }];
  });
}

export interface CoveredMachine extends Covered {
  readonly machine: NamedUnderlay;
}

/** The first machine that would lose something to the block, or null. */
export function firstCovered(text: string, machines: readonly NamedUnderlay[]): CoveredMachine | null {
  const block = parsePrefix(text);
  if (block === null) throw new Error(`the block "${text}" cannot be read`);
  for (const machine of machines) {
    const covered = coveredBy(block, machine);
    if (covered !== null) return { ...covered, machine };
  }
  return null;
}

/** Without what a cluster on the machine has of the prefix of pods that it is to have. */
export function withoutClusters(machine: NamedUnderlay, podPrefix: string): NamedUnderlay {
  const block = parsePrefix(podPrefix);
  if (block === null) throw new Error(`the block "${podPrefix}" cannot be read`);
  const ofCluster = machine.facts.flatMap((fact) => {
    const prefix = parsePrefix(fact.at);
    const isOwn = fact.kind === 'network' && fact.interface !== null && isClusterInterface(fact.interface);
    return isOwn && prefix !== null && contains(block, prefix) ? [{ fact, prefix }] : [];
  });
  if (ofCluster.length === 0) return machine;
  const facts = machine.facts.filter((fact) => !ofCluster.some((one) => one.fact === fact));
  const addresses = machine.addresses.filter((text) => {
    const address = parseAddress(text);
    return address === null || !ofCluster.some(({ prefix }) => contains(prefix, address));
  });
  return { ...machine, facts, addresses };
}

export function coveredSentence(text: string, { at, what, machine }: CoveredMachine): string {
  return `${text} covers ${at}, ${what} of the instance "${machine.hostname}"`;
}

export function refuseCovering(path: string, text: string, machines: readonly NamedUnderlay[]): void {
  const covered = firstCovered(text, machines);
  if (covered === null) return;
  const message = coveredSentence(text, covered);
  throw new ProductError('conflict', `${path}: ${message}, which would lose it. Choose another block.`, {
    fields: [{ path, code: 'covers_underlay', message }],
    members: { node_instance_id: covered.machine.instanceId, address: covered.at },
  });
}

/** Blocks that belong to somebody on the Internet, or to a protocol, are no overlay's. */
export function refuseOutside(path: string, text: string): void {
  const block = parsePrefix(text);
  if (block !== null && isInsideBlock(block)) return;
  const family = familyOf(text);
  const fitting = insideBlocks.filter((one) => familyOf(one) === family).join(', ');
  const message = `${text} is not private: it is public, or reserved (loopback, link-local, multicast, documentation)`;
  throw new ProductError('validation_failed', `${path}: ${message}. Choose a prefix in ${fitting}.`, {
    fields: [{ path, code: 'not_private', message }],
  });
}

/** What an automatic choice of an IPv4 block keeps out of, each block once. */
export function ipv4BlocksInUse(machines: readonly NamedUnderlay[]): Prefix[] {
  const found = new Map<string, Prefix>();
  for (const machine of machines) {
    for (const block of blocksInUse(machine)) {
      if (block.family === 4) found.set(`${block.bits}/${block.length}`, block);
    }
  }
  return [...found.values()];
}
