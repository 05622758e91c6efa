// What a new peer is given: an address, a key that its node has published, a port, a hub's number.
// All under the account's lock, which the caller holds.
import { ProductError } from '@powernode/core/errors';
import * as limits from '@powernode/core/limits';
import { familyOf, formatAddress, parseAddress } from '@powernode/core/net/address';
import { allocateHostAddress, allocateIpv4Address } from '@powernode/core/net/allocate';
import { type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import type { ActionContext, Trx } from '../context.ts';
import { portsInUse, portsOf } from './ports.ts';
import { declaredPort } from './reach.ts';
import type { InstanceRow, NetworkRow } from './rows.ts';

/** What leads to one peer, virtual IP or device of a network. */
export interface Addresses {
  readonly address: string;
  /** null: the network has no IPv4 leg. */
  readonly ipv4Address: string | null;
}

/** The next addresses of the network. A machine that comes back within the quarantine gets its old ones. */
export async function takeAddresses(
  context: ActionContext,
  place: { readonly network: NetworkRow; readonly instanceId: string },
): Promise<Addresses> {
  return take(context, { network: place.network, ownerId: place.instanceId });
}

/** The same for a virtual IP or a device. */
export async function takeServiceAddress(
  context: ActionContext,
  place: { readonly network: NetworkRow; readonly ownerId: string },
): Promise<Addresses> {
  return take(context, place);
}

/** Addresses that are given back rest before somebody else can get them. */
export async function releaseAddresses(
  context: ActionContext,
  given: {
    readonly networkId: string;
    readonly ownerId: string;
    /** Then another one may be given it back by name. */
    readonly ofVirtualIp?: boolean;
    readonly addresses: readonly (string | null)[];
  },
): Promise<void> {
  const addresses = given.addresses.filter((address) => address !== null);
  if (addresses.length === 0) return;
  const owner = { instance_id: given.ownerId, of_virtual_ip: given.ofVirtualIp ?? false };
  await context.trx
    .insertInto('address_quarantine')
    .values(
      addresses.map((address) => ({
        account_id: context.accountId,
        network_id: given.networkId,
        host_address: address,
        ...owner,
        released_at: context.now,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['network_id', 'host_address']).doUpdateSet({ ...owner, released_at: context.now }),
    )
    .execute();
}

async function take(
  context: ActionContext,
  place: { readonly network: NetworkRow; readonly ownerId: string },
): Promise<Addresses> {
  const { network } = place;
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
  const own = resting.filter((row) => row.instance_id === place.ownerId).map((row) => row.host_address);
  if (own.length > 0) {
    await context.trx
      .deleteFrom('address_quarantine')
      .where('network_id', '=', network.id)
      .where('host_address', 'in', own)
      .execute();
  }
  const taken = new Set(resting.flatMap((row) => parseAddress(row.host_address)?.bits ?? []));
  const oldIpv4 = own.find((address) => familyOf(address) === 4);
  return {
    address: own.find((address) => familyOf(address) === 6) ?? (await nextIpv6(context, { network, taken })),
    ipv4Address:
      network.ipv4_prefix === null ? null : (oldIpv4 ?? (await nextIpv4(context, { network, taken }))),
  };
}

async function nextIpv6(
  context: ActionContext,
  place: { readonly network: NetworkRow; readonly taken: ReadonlySet<bigint> },
): Promise<string> {
  const { network } = place;
  const prefix = blockOf(network.prefix);
  const highest = network.host_number_highest === null ? null : BigInt(network.host_number_highest);
  const used = await usedBits(context, { networkId: network.id, family: 6 });
  const address = allocateHostAddress(prefix, {
    highest,
    taken: (bits) => place.taken.has(bits) || used.has(bits),
  });
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

/** An address of the network's IPv4 leg. */
export async function nextIpv4(
  context: ActionContext,
  place: { readonly network: NetworkRow; readonly taken: ReadonlySet<bigint> },
): Promise<string> {
  const { network } = place;
  const block = blockOf(network.ipv4_prefix ?? '');
  const highest = network.ipv4_number_highest === null ? null : BigInt(network.ipv4_number_highest);
  const used = await usedBits(context, { networkId: network.id, family: 4 });
  const address = allocateIpv4Address(block, {
    highest,
    taken: (bits) => place.taken.has(bits) || used.has(bits),
  });
  if (address === null) {
    throw new ProductError(
      'pool_exhausted',
      `No address is left in ${network.ipv4_prefix}, the IPv4 leg of the network. Detach a peer, or make a network with a larger ipv4_prefix.`,
    );
  }
  await context.trx
    .updateTable('networks')
    .set({ ipv4_number_highest: Number(address.bits - block.bits) })
    .where('id', '=', network.id)
    .execute();
  return formatAddress(address);
}

/**
 * Addresses of the family that are in use. The counter alone would do if nobody ever chose an address by hand, and
 * until it has run through, which a small IPv4 block does.
 */
async function usedBits(
  context: ActionContext,
  of: { readonly networkId: string; readonly family: 4 | 6 },
): Promise<Set<bigint>> {
  const { networkId } = of;
  const chosen = await context.trx
    .selectFrom('virtual_ips')
    .select(['address', 'ipv4_address'])
    .where('network_id', '=', networkId)
    .execute();
  const texts: (string | null)[] = chosen.map((row) => (of.family === 6 ? row.address : row.ipv4_address));
  if (of.family === 4) {
    const peers = await context.trx
      .selectFrom('peers')
      .select('ipv4_address')
      .where('network_id', '=', networkId)
      .execute();
    const devices = await context.trx
      .selectFrom('user_devices')
      .select('ipv4_address')
      .where('network_id', '=', networkId)
      .where('revoked_at', 'is', null)
      .execute();
    texts.push(...[...peers, ...devices].map((row) => row.ipv4_address));
  }
  return new Set(texts.flatMap((text) => (text === null ? [] : (parseAddress(text)?.bits ?? []))));
}

function blockOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`the block "${text}" of a network cannot be read`);
  return prefix;
}

/** The keys of one peer: of its tunnels to hubs, and of the interface on which it meets others without one. */
export interface PeerKeys {
  readonly public_key: string;
  readonly direct_key: string;
}

/** Unused public keys of the machine. Never given twice. */
export async function takeKeys(context: ActionContext, instance: InstanceRow): Promise<PeerKeys> {
  const keys = await context.trx
    .selectFrom('node_keys')
    .select('public_key')
    .where('instance_id', '=', instance.id)
    .where('taken_at', 'is', null)
    .orderBy('published_at')
    .orderBy('public_key')
    .limit(2)
    .forUpdate()
    .execute();
  const [first, second] = keys;
  if (first === undefined || second === undefined) {
    throw new ProductError(
      'no_unused_key',
      `The machine "${instance.hostname}" has not published two unused keys, which a peer needs. See that its agent runs (powernode agent run) and try again.`,
    );
  }
  await context.trx
    .updateTable('node_keys')
    .set({ taken_at: context.now })
    .where('instance_id', '=', instance.id)
    .where(
      'public_key',
      'in',
      keys.map((key) => key.public_key),
    )
    .execute();
  return { public_key: first.public_key, direct_key: second.public_key };
}

/** The port of the declared endpoint, or the lowest at which nothing else of the machine is in the way. */
export async function takePort(
  context: ActionContext,
  wanted: {
    readonly instance: InstanceRow;
    readonly endpointAddress: string | null;
    readonly peerId: string | null;
  },
): Promise<number> {
  const { instance, endpointAddress, peerId } = wanted;
  const used = await portsInUse(context, { instanceId: instance.id, except: peerId });
  const inTheWay = (port: number) => portsOf(port).find((one) => used.has(one));
  const declared = declaredPort(endpointAddress);
  if (declared !== null) {
    const port = inTheWay(declared);
    if (port === undefined) return declared;
    const needs = port === declared ? '' : `, on which a hub on port ${declared} listens for relays,`;
    const message = `port ${port}${needs} is ${used.get(port)}`;
    throw new ProductError(
      'conflict',
      `endpoint_address: on the machine "${instance.hostname}" ${message}. Choose another port.`,
      { fields: [{ path: 'endpoint_address', code: 'port_taken', message }] },
    );
  }
  for (let port = limits.listenPortFirst; port <= limits.listenPortLast; port++) {
    if (inTheWay(port) === undefined) return port;
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
