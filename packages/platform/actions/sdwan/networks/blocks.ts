// Which blocks of addresses a network gets: its /64, its IPv4 prefix and its pods. Those of one account never overlap, and
// those of a deleted network rest, so that no address of it means somebody else within days.
import { ProductError } from '@powernode/core/errors';
import * as limits from '@powernode/core/limits/overlay';
import { allocateIpv4Prefix, allocateNetworkPrefix } from '@powernode/core/net/allocate';
import { contains, formatPrefix, overlaps, type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import type { Selectable } from 'kysely';
import type { Database } from '../../../store/tables.ts';
import type { ActionContext } from '../../context.ts';
import type { NetworkRow } from '../rows.ts';
import { ipv4BlocksInUse, type NamedUnderlay } from './underlay.ts';

interface Wanted {
  /** What machines have outside their overlays. */
  readonly machines: readonly NamedUnderlay[];
  readonly prefix: string | undefined;
  readonly pods: string | null;
  /** null: no IPv4 prefix. */
  readonly ipv4: string | null | undefined;
  readonly others: readonly NetworkRow[];
}

type Chosen = Pick<
  NetworkRow,
  | 'prefix'
  | 'ipv4_prefix'
  | 'ipv4_chosen'
  | 'pod_subnet_prefix'
  | 'host_number_highest'
  | 'ipv4_number_highest'
>;

type Resting = Selectable<Database['prefix_quarantine']>;

/** As wanted, or free ones. In a block that rests, addresses go on above the last that was given. */
export async function chooseBlocks(context: ActionContext, wanted: Wanted): Promise<Chosen> {
  const resting = await restingBlocks(context);
  const pods = wanted.pods === null ? null : parsePrefix(wanted.pods);
  const used = [...wanted.others.flatMap((other) => blocksTaken(other).map(({ block }) => block))];
  if (pods !== null) used.push(pods);
  const given = wanted.prefix === undefined ? null : parsePrefix(wanted.prefix);
  if (wanted.prefix !== undefined) refuseUnfit(wanted.prefix, given);
  const prefix = wanted.prefix ?? (await freePrefix(context, { used, resting }));
  const taken = { used, resting, machines: wanted.machines };
  const ipv4 = wanted.ipv4 === undefined ? freeIpv4Prefix(taken) : wanted.ipv4;
  refuseBlocks(wanted.others, { prefix, pods: wanted.pods, ipv4 });
  const highestIn = (block: string | null) =>
    resting.find((one) => one.prefix === block)?.number_highest ?? null;
  return {
    prefix,
    ipv4_prefix: ipv4,
    ipv4_chosen: wanted.ipv4 === undefined,
    pod_subnet_prefix: wanted.pods,
    host_number_highest: highestIn(prefix),
    ipv4_number_highest: highestIn(ipv4),
  };
}

/** The next IPv4 prefix of a network that is there: with the last number that was given in it, if it rests. */
export async function chooseIpv4Prefix(
  context: ActionContext,
  block: string | null,
): Promise<Pick<Chosen, 'ipv4_prefix' | 'ipv4_number_highest' | 'ipv4_chosen'>> {
  const resting = await restingBlocks(context);
  const highest = resting.find((one) => one.prefix === block)?.number_highest ?? null;
  return { ipv4_prefix: block, ipv4_number_highest: highest, ipv4_chosen: false };
}

/** Another IPv4 prefix for a network whose own cannot be used and was given to nobody yet; null: no block is left. */
export async function chooseOtherIpv4Prefix(
  context: ActionContext,
  from: { readonly others: readonly NetworkRow[]; readonly machines: readonly NamedUnderlay[] },
): Promise<Pick<Chosen, 'ipv4_prefix' | 'ipv4_number_highest'> | null> {
  const resting = await restingBlocks(context);
  const used = from.others.flatMap((other) => blocksTaken(other).map(({ block }) => block));
  const free = freeIpv4Block({ used, resting, machines: from.machines });
  if (free === null) return null;
  const block = formatPrefix(free);
  const highest = resting.find((one) => one.prefix === block)?.number_highest ?? null;
  return { ipv4_prefix: block, ipv4_number_highest: highest };
}

/** The blocks of a network that is gone. */
export async function restBlocks(context: ActionContext, network: NetworkRow): Promise<void> {
  await restBlock(context, { prefix: network.prefix, highest: network.host_number_highest });
  await restBlock(context, { prefix: network.ipv4_prefix, highest: network.ipv4_number_highest });
}

/** A block that no network has any more, if somebody had an address in it. */
export async function restBlock(
  context: ActionContext,
  { prefix, highest }: { readonly prefix: string | null; readonly highest: number | null },
): Promise<void> {
  if (prefix === null || highest === null) return;
  await context.trx
    .insertInto('prefix_quarantine')
    .values({
      account_id: context.accountId,
      prefix,
      number_highest: highest,
      released_at: context.now,
    })
    .onConflict((conflict) =>
      conflict.columns(['account_id', 'prefix']).doUpdateSet((eb) => ({
        number_highest: eb.ref('excluded.number_highest'),
        released_at: eb.ref('excluded.released_at'),
      })),
    )
    .execute();
}

/** Those that have rested enough are forgotten. */
async function restingBlocks(context: ActionContext): Promise<Resting[]> {
  await context.trx
    .deleteFrom('prefix_quarantine')
    .where('account_id', '=', context.accountId)
    .where('released_at', '<', new Date(context.now.getTime() - limits.addressQuarantineMs))
    .execute();
  return context.trx
    .selectFrom('prefix_quarantine')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .execute();
}

const uniqueLocal: Prefix = { family: 6, bits: 0xfdn << 120n, length: 8 };

function refuseUnfit(text: string, prefix: Prefix | null): void {
  const fits =
    prefix !== null && prefix.length === limits.networkPrefixLength && contains(uniqueLocal, prefix);
  if (!fits) throw invalid('prefix', `${text} is not a /64 of fd00::/8`);
}

interface Occupied {
  readonly used: readonly Prefix[];
  readonly resting: readonly Resting[];
}

async function freePrefix(context: ActionContext, occupied: Occupied): Promise<string> {
  const account = await context.trx
    .selectFrom('accounts')
    .select('pool_prefix')
    .where('id', '=', context.accountId)
    .executeTakeFirstOrThrow();
  const pool = parsePrefix(account.pool_prefix);
  if (pool === null) throw new Error(`the account's pool ${account.pool_prefix} cannot be read`);
  const free = rested(occupied, (taken) => allocateNetworkPrefix(pool, taken));
  if (free !== null) return formatPrefix(free);
  throw new ProductError('pool_exhausted', `No /64 is left in ${account.pool_prefix}. Delete a network.`);
}

function freeIpv4Prefix(occupied: OccupiedIpv4): string {
  const free = freeIpv4Block(occupied);
  if (free !== null) return formatPrefix(free);
  throw new ProductError(
    'pool_exhausted',
    `No prefix is left in ${limits.ipv4Pools.join(', ')} for IPv4: other networks and the instances' own networks use all of it. Give an ipv4_prefix of your own, or null for none.`,
  );
}

interface OccupiedIpv4 extends Occupied {
  readonly machines: readonly NamedUnderlay[];
}

/** A free block of the pools, in their order, in which no machine has anything. */
function freeIpv4Block({ used, resting, machines }: OccupiedIpv4): Prefix | null {
  const occupied = { used: [...used, ...ipv4BlocksInUse(machines)], resting };
  for (const text of limits.ipv4Pools) {
    const pool = parsePrefix(text);
    if (pool === null) throw new Error('the pool of IPv4 prefixes cannot be read');
    const free = rested(occupied, (taken) => allocateIpv4Prefix(pool, taken));
    if (free !== null) return free;
  }
  return null;
}

/** One that nobody had lately where there is one. */
function rested(
  { used, resting }: Occupied,
  allocate: (taken: readonly Prefix[]) => Prefix | null,
): Prefix | null {
  return allocate([...used, ...resting.flatMap(({ prefix }) => parsePrefix(prefix) ?? [])]) ?? allocate(used);
}

function blocksTaken(row: NetworkRow): { readonly block: Prefix; readonly what: string }[] {
  return [
    { text: row.prefix, what: `the prefix of network "${row.name}"` },
    { text: row.pod_subnet_prefix, what: `the pod_subnet_prefix of network "${row.name}"` },
    { text: row.ipv4_prefix, what: `the ipv4_prefix of network "${row.name}"` },
  ].flatMap(({ text, what }) => {
    const block = text === null ? null : parsePrefix(text);
    return block === null ? [] : [{ block, what }];
  });
}

interface Blocks {
  readonly prefix: string;
  readonly pods: string | null;
  readonly ipv4: string | null;
}

/** Overlapping blocks in one account would make an address mean two things. */
export function refuseBlocks(others: readonly NetworkRow[], wanted: Blocks): void {
  const ipv4 = wanted.ipv4 === null ? null : parsePrefix(wanted.ipv4);
  if (ipv4 !== null && (ipv4.family !== 4 || ipv4.length < 8 || ipv4.length > 30)) {
    throw invalid('ipv4_prefix', `${wanted.ipv4} is not an IPv4 prefix between /8 and /30`);
  }
  const taken = others.flatMap(blocksTaken);
  const mine: { path: string; block: Prefix }[] = [];
  for (const [path, text] of [
    ['prefix', wanted.prefix],
    ['pod_subnet_prefix', wanted.pods],
    ['ipv4_prefix', wanted.ipv4],
  ] as const) {
    const block = text === null ? null : parsePrefix(text);
    if (block === null) continue;
    const clash =
      taken.find((other) => overlaps(other.block, block)) ??
      mine
        .filter((other) => overlaps(other.block, block))
        .map((other) => ({ what: `${other.path} of the same network` }))[0];
    if (clash !== undefined) throw overlapping(path, `${text} overlaps ${clash.what}`);
    mine.push({ path, block });
  }
}

function invalid(path: string, message: string): ProductError {
  return new ProductError('validation_failed', `${path}: ${message}.`, {
    fields: [{ path, code: 'invalid_prefix', message }],
  });
}

function overlapping(path: string, message: string): ProductError {
  return new ProductError('conflict', `${path}: ${message}. Choose another prefix, or omit it.`, {
    fields: [{ path, code: 'overlap', message }],
  });
}
