// The IPv4 prefix of a network that is there already: given to all that is in it, exchanged for another block, or taken.
import { ProductError } from '@powernode/core/errors';
import { familyOf, formatAddress } from '@powernode/core/net/address';
import { ipv4AddressCandidates } from '@powernode/core/net/allocate';
import { parsePrefix } from '@powernode/core/net/prefix';
import { sql } from 'kysely';
import type { ActionContext } from '../../context.ts';
import { type UserDeviceRow, userDeviceModel } from '../devices/model.ts';
import { itemChanged } from '../item-changed.ts';
import { peerChanged } from '../peers/write-peer.ts';
import type { NetworkRow, PeerRow } from '../rows.ts';
import { type VirtualIpRow, virtualIpModel } from '../virtual-ips/model.ts';
import { restBlock } from './blocks.ts';

/** Refuses to take the IPv4 prefix away while port mappings stand on it. */
export async function refusePortMappingsOn(context: ActionContext, network: NetworkRow): Promise<void> {
  const mappings = await context.trx
    .selectFrom('port_mappings')
    .select(['id', 'external_address'])
    .where('network_id', '=', network.id)
    .orderBy('id')
    .execute();
  const standing = mappings.filter((mapping) => familyOf(mapping.external_address) === 4);
  const [first] = standing;
  if (first === undefined) return;
  const message = `${standing.length} port mapping(s) for IPv4 clients need it, such as ${first.id}`;
  throw new ProductError('conflict', `ipv4_prefix: ${message}. Delete them first.`, {
    fields: [{ path: 'ipv4_prefix', code: 'in_use', message }],
  });
}

/** Renumbers peers, virtual IPs and devices, in the order in which they were made. The block of before rests. */
export async function exchangeIpv4Prefix(
  context: ActionContext,
  networks: { readonly before: NetworkRow; readonly after: NetworkRow },
): Promise<void> {
  const { before, after } = networks;
  await restBlock(context, { prefix: before.ipv4_prefix, highest: before.ipv4_number_highest });
  // What rests are addresses of the old IPv4 prefix; whoever comes back must not get one of them in the new one.
  await sql`
    delete from address_quarantine where network_id = ${after.id} and host_address not like '%:%'
  `.execute(context.trx);
  // Whoever was refused the old IPv4 prefix is evaluated by the new one, which covers nothing of any member.
  await context.trx
    .updateTable('peers')
    .set({ ipv4_refused: null, ipv4_refused_at: null })
    .where('network_id', '=', after.id)
    .execute();
  const numbers = new Numbers(after);
  for (const [was, is] of await renumbered(context, { table: 'peers', numbers, read: peersOf })) {
    peerChanged(context, { before: was, after: is });
  }
  for (const [was, is] of await renumbered(context, { table: 'virtual_ips', numbers, read: virtualIpsOf })) {
    itemChanged(context, virtualIpModel, { before: was, after: is });
  }
  for (const [was, is] of await renumbered(context, { table: 'user_devices', numbers, read: devicesOf })) {
    itemChanged(context, userDeviceModel, { before: was, after: is });
  }
  await context.trx
    .updateTable('networks')
    .set({ ipv4_number_highest: numbers.highest === null ? null : Number(numbers.highest) })
    .where('id', '=', after.id)
    .execute();
}

/** Addresses of the IPv4 prefix, one after the other; null for everybody where there is none. */
class Numbers {
  highest: bigint | null;
  readonly #network: NetworkRow;
  readonly #given = new Set<bigint>();

  constructor(network: NetworkRow) {
    this.#network = network;
    this.highest = network.ipv4_number_highest === null ? null : BigInt(network.ipv4_number_highest);
  }

  get networkId(): string {
    return this.#network.id;
  }

  next(): string | null {
    const { ipv4_prefix: text, name } = this.#network;
    if (text === null) return null;
    const block = parsePrefix(text);
    if (block === null) throw new Error(`the block "${text}" of a network cannot be read`);
    const candidates = ipv4AddressCandidates(block, this.highest);
    const address = candidates.find(({ bits }) => !this.#given.has(bits));
    if (address === undefined) {
      throw new ProductError(
        'pool_exhausted',
        `${text} does not have enough addresses for the peers, virtual IPs and devices of "${name}". Give a larger ipv4_prefix.`,
      );
    }
    this.#given.add(address.bits);
    this.highest = address.bits - block.bits;
    return formatAddress(address);
  }
}

type Read<Row> = (context: ActionContext, networkId: string) => Promise<Row[]>;

const peersOf: Read<PeerRow> = (context, networkId) =>
  context.trx.selectFrom('peers').selectAll().where('network_id', '=', networkId).orderBy('id').execute();

const virtualIpsOf: Read<VirtualIpRow> = (context, networkId) =>
  context.trx
    .selectFrom('virtual_ips')
    .selectAll()
    .where('network_id', '=', networkId)
    .orderBy('id')
    .execute();

const devicesOf: Read<UserDeviceRow> = (context, networkId) =>
  context.trx
    .selectFrom('user_devices')
    .selectAll()
    .where('network_id', '=', networkId)
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .execute();

/** Rows before and after. */
async function renumbered<Row extends { readonly id: string }>(
  context: ActionContext,
  of: {
    readonly table: 'peers' | 'virtual_ips' | 'user_devices';
    readonly numbers: Numbers;
    readonly read: Read<Row>;
  },
): Promise<(readonly [before: Row, after: Row])[]> {
  const { table, numbers, read } = of;
  const before = await read(context, numbers.networkId);
  const values = before.map(({ id }) => ({ id, address: numbers.next() }));
  await sql`
    update ${sql.table(table)} t
    set ipv4_address = v.address, updated_at = ${context.now}, revision = t.revision + 1
    from jsonb_to_recordset(${JSON.stringify(values)}::jsonb) as v(id uuid, address text)
    where t.id = v.id and t.ipv4_address is distinct from v.address
  `.execute(context.trx);
  const after = new Map((await read(context, numbers.networkId)).map((row) => [row.id, row]));
  return before.flatMap((row) => {
    const now = after.get(row.id);
    return now === undefined ? [] : [[row, now] as const];
  });
}
