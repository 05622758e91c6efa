// What a new peer is given: an address, a key that its node has published, a port, a hub's number.
// All under the account's lock, which the caller holds.
import { ProductError } from '@powernode/core/errors';
import * as limits from '@powernode/core/limits';
import { formatAddress, parseAddress } from '@powernode/core/net/address';
import { allocateHostAddress } from '@powernode/core/net/allocate';
import { parsePrefix } from '@powernode/core/net/prefix';
import type { ActionContext, Trx } from '../context.ts';
import { declaredPort } from './reach.ts';
import type { InstanceRow, NetworkRow } from './rows.ts';

/** The next /128 of the network. A machine that comes back within the quarantine gets its old one. */
export async function takeAddress(
  context: ActionContext,
  place: { readonly network: NetworkRow; readonly instanceId: string },
): Promise<string> {
  const { network, instanceId } = place;
  await context.trx
    .deleteFrom('address_quarantine')
    .where('network_id', '=', network.id)
    .where('released_at', '<', new Date(context.now.getTime() - limits.addressQuarantineMs))
    .execute();
  const resting = await context.trx
    .selectFrom('address_quarantine')
    .select(['host_address', 'instance_id'])
    .where('network_id', '=', network.id)
    .execute();
  const own = resting.find((row) => row.instance_id === instanceId);
  if (own !== undefined) {
    await context.trx
      .deleteFrom('address_quarantine')
      .where('network_id', '=', network.id)
      .where('host_address', '=', own.host_address)
      .execute();
    return own.host_address;
  }
  return nextAddress(context, { network, resting: resting.map((row) => row.host_address) });
}

async function nextAddress(
  context: ActionContext,
  place: { readonly network: NetworkRow; readonly resting: readonly string[] },
): Promise<string> {
  const { network } = place;
  const prefix = parsePrefix(network.prefix);
  if (prefix === null) throw new Error(`the prefix ${network.prefix} of a network cannot be read`);
  const highest = network.host_number_highest === null ? null : BigInt(network.host_number_highest);
  const taken = new Set(place.resting.flatMap((text) => parseAddress(text)?.bits ?? []));
  const address = allocateHostAddress(prefix, { highest, taken: (bits) => taken.has(bits) });
  if (address === null) {
    throw new ProductError('pool_exhausted', `No address is left in ${network.prefix}. Detach a peer.`);
  }
  const number = address.bits - prefix.bits;
  await context.trx
    .updateTable('networks')
    .set({ host_number_highest: Number(number) })
    .where('id', '=', network.id)
    .execute();
  return formatAddress(address);
}

/** An unused public key of the machine. Never given twice. */
export async function takeKey(context: ActionContext, instance: InstanceRow): Promise<string> {
  const key = await context.trx
    .selectFrom('node_keys')
    .select('public_key')
    .where('instance_id', '=', instance.id)
    .where('taken_at', 'is', null)
    .orderBy('published_at')
    .orderBy('public_key')
    .limit(1)
    .forUpdate()
    .executeTakeFirst();
  if (key === undefined) {
    throw new ProductError(
      'no_unused_key',
      `The machine "${instance.hostname}" has no unused key published. See that its agent runs (powernode agent run) and try again.`,
    );
  }
  await context.trx
    .updateTable('node_keys')
    .set({ taken_at: context.now })
    .where('instance_id', '=', instance.id)
    .where('public_key', '=', key.public_key)
    .execute();
  return key.public_key;
}

/** The port of the declared endpoint, or the lowest that no other network uses on the machine. */
export async function takePort(
  context: ActionContext,
  wanted: {
    readonly instance: InstanceRow;
    readonly endpointAddress: string | null;
    readonly peerId: string | null;
  },
): Promise<number> {
  const rows = await context.trx
    .selectFrom('peers')
    .select(['id', 'listen_port'])
    .where('instance_id', '=', wanted.instance.id)
    .execute();
  const used = new Set(rows.filter((row) => row.id !== wanted.peerId).map((row) => row.listen_port));
  const declared = declaredPort(wanted.endpointAddress);
  if (declared !== null) {
    if (!used.has(declared)) return declared;
    throw new ProductError(
      'conflict',
      `endpoint_address: the machine "${wanted.instance.hostname}" uses port ${declared} for another network. Choose another port.`,
      { fields: [{ path: 'endpoint_address', code: 'port_taken', message: `port ${declared} is taken` }] },
    );
  }
  for (let port = limits.listenPortFirst; port <= limits.listenPortLast; port++) {
    if (!used.has(port)) return port;
  }
  throw new ProductError('limit_reached', 'The machine is in as many networks as it has ports for.');
}

/** The lowest free number among the hubs of the network. */
export function takeHubSlot(context: ActionContext, networkId: string): Promise<number> {
  return takeHubSlotIn(context.trx, networkId);
}

export async function takeHubSlotIn(trx: Trx, networkId: string): Promise<number> {
  const rows = await trx
    .selectFrom('peers')
    .select('hub_slot')
    .where('network_id', '=', networkId)
    .where('hub_slot', 'is not', null)
    .execute();
  const used = new Set(rows.map((row) => row.hub_slot));
  let slot = 1;
  while (used.has(slot)) slot++;
  return slot;
}
