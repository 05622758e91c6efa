// What a new peer is given: an address, a key that its node has published, a port, a hub's number.
// All under the account's lock, which the caller holds.
import { ProductError } from '@powernode/core/errors';
import * as limits from '@powernode/core/limits/overlay';
import { type Address, familyOf, formatAddress } from '@powernode/core/net/address';
import { hostAddressCandidates, ipv4AddressCandidates } from '@powernode/core/net/allocate';
import { type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import type { ActionContext, Trx } from '../../context.ts';
import { portsInUse, portsOf } from '../ports.ts';
import { ownPort } from '../reachability/reach.ts';
import type { InstanceRow, NetworkRow } from '../rows.ts';
import { takenAddresses } from '../taken-addresses.ts';

/** What leads to one peer, virtual IP or device of a network. */
export interface Addresses {
  readonly address: string;
  /** null: the network has no IPv4 prefix. */
  readonly ipv4Address: string | null;
}

/** The next addresses of the network. A machine that comes back within the quarantine gets its old ones. */
export async function takeAddresses(
  context: ActionContext,
  place: {
    readonly network: NetworkRow;
    readonly instanceId: string;
    /** The IPv4 prefix does not suit the machine. */
    readonly withoutIpv4: boolean;
  },
): Promise<Addresses> {
  const { network, instanceId: ownerId, withoutIpv4 } = place;
  return take(context, { network, ownerId, withoutIpv4 });
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

/** An address of the IPv4 prefix alone, the old one within the quarantine. */
export async function takeIpv4Address(
  context: ActionContext,
  place: { readonly network: NetworkRow; readonly ownerId: string },
): Promise<string> {
  const own = await takeBack(context, { ...place, families: [4] });
  return own[0] ?? nextIpv4(context, place.network);
}

async function take(
  context: ActionContext,
  place: { readonly network: NetworkRow; readonly ownerId: string; readonly withoutIpv4?: boolean },
): Promise<Addresses> {
  const { network } = place;
  const hasIpv4 = network.ipv4_prefix !== null && place.withoutIpv4 !== true;
  const own = await takeBack(context, { ...place, families: hasIpv4 ? [4, 6] : [6] });
  const old = (family: 4 | 6) => own.find((address) => familyOf(address) === family);
  return {
    address: old(6) ?? (await nextIpv6(context, network)),
    ipv4Address: hasIpv4 ? (old(4) ?? (await nextIpv4(context, network))) : null,
  };
}

/** Addresses that rest and were the owner's: they do not rest any more. */
async function takeBack(
  context: ActionContext,
  place: { readonly network: NetworkRow; readonly ownerId: string; readonly families: readonly (4 | 6)[] },
): Promise<readonly string[]> {
  const { network } = place;
  await context.trx
    .deleteFrom('address_quarantine')
    .where('network_id', '=', network.id)
    .where('released_at', '<', new Date(context.now.getTime() - limits.addressQuarantineMs))
    .execute();
  const resting = await context.trx
    .selectFrom('address_quarantine')
    .select('host_address')
    .where('network_id', '=', network.id)
    .where('instance_id', '=', place.ownerId)
    .orderBy('host_address')
    .execute();
  const own = resting
    .map((row) => row.host_address)
    .filter((address) => place.families.includes(familyOf(address)));
  if (own.length > 0) {
    await context.trx
      .deleteFrom('address_quarantine')
      .where('network_id', '=', network.id)
      .where('host_address', 'in', own)
      .execute();
  }
  return own;
}

async function nextIpv6(context: ActionContext, network: NetworkRow): Promise<string> {
  const prefix = blockOf(network.prefix);
  const candidates = hostAddressCandidates(prefix, highestOf(network.host_number_highest));
  const address = await firstFree(context, { networkId: network.id, candidates });
  if (address === null) {
    throw new ProductError('pool_exhausted', `No free address is left in ${network.prefix}. Detach a peer.`);
  }
  await context.trx
    .updateTable('networks')
    .set({ host_number_highest: Number(address.bits - prefix.bits) })
    .where('id', '=', network.id)
    .execute();
  return formatAddress(address);
}

/** An address of the network's IPv4 prefix. */
export async function nextIpv4(context: ActionContext, network: NetworkRow): Promise<string> {
  const block = blockOf(network.ipv4_prefix ?? '');
  const candidates = ipv4AddressCandidates(block, highestOf(network.ipv4_number_highest));
  const address = await firstFree(context, { networkId: network.id, candidates });
  if (address === null) {
    throw new ProductError(
      'pool_exhausted',
      `No free address is left in ${network.ipv4_prefix}, the IPv4 prefix of the network. Detach a peer, or use a larger ipv4_prefix.`,
    );
  }
  await context.trx
    .updateTable('networks')
    .set({ ipv4_number_highest: Number(address.bits - block.bits) })
    .where('id', '=', network.id)
    .execute();
  return formatAddress(address);
}

function highestOf(number: number | null): bigint | null {
  return number === null ? null : BigInt(number);
}

/** Candidates that are looked up at once: usually the first is free, and where many are taken each look takes in more. */
const lookedUpFirst = 8;
const lookedUpMax = 4096;

/** The first candidate that nothing of the network has, and that does not rest. Reads no more rows than it looks up. */
async function firstFree(
  context: ActionContext,
  of: { readonly networkId: string; readonly candidates: Iterator<Address> },
): Promise<Address | null> {
  for (let size = lookedUpFirst; ; size = Math.min(size * 8, lookedUpMax)) {
    const some: Address[] = [];
    while (some.length < size) {
      const next = of.candidates.next();
      if (next.done === true) break;
      some.push(next.value);
    }
    if (some.length === 0) return null;
    const taken = await takenAddresses(context, {
      networkId: of.networkId,
      addresses: some.map(formatAddress),
    });
    const free = some.find((address) => !taken.has(formatAddress(address)));
    if (free !== undefined) return free;
  }
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
      `The instance "${instance.hostname}" has not published the two unused keys that a peer needs. Check that its agent runs (powernode agent run) and try again.`,
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

/**
 * The port that was asked for, or that of an endpoint at an address of the machine's own (which nothing translates), or
 * the one that it has already, or the lowest at which nothing else of the machine is in the way.
 */
export async function takePort(
  context: ActionContext,
  wanted: {
    readonly instance: InstanceRow;
    /** null: the platform chooses. */
    readonly declared: number | null;
    readonly endpointAddresses: readonly string[];
    /** The port that the peer has; null: none, or it is to be chosen anew. */
    readonly kept: number | null;
    readonly peerId: string | null;
  },
): Promise<number> {
  const { instance, declared, endpointAddresses, kept, peerId } = wanted;
  const used = await portsInUse(context, { instanceId: instance.id, except: peerId });
  const inTheWay = (port: number) => portsOf(port).find((one) => used.has(one));
  const own = ownPort(endpointAddresses, instance.addresses);
  const asked = declared ?? own;
  if (asked !== null && asked === kept) return asked;
  if (asked !== null) {
    const port = inTheWay(asked);
    if (port === undefined) return asked;
    const path = declared === null ? 'endpoint_address' : 'listen_port';
    const needs = port === asked ? '' : `, on which a hub on port ${asked} listens for relays,`;
    const message = `port ${port}${needs} is ${used.get(port)}`;
    throw new ProductError(
      'conflict',
      `${path}: on the instance "${instance.hostname}" ${message}. Choose another port.`,
      { fields: [{ path, code: 'port_taken', message }] },
    );
  }
  if (kept !== null) return kept;
  for (let port = limits.listenPortFirst; port <= limits.listenPortLast; port++) {
    if (inTheWay(port) === undefined) return port;
  }
  throw new ProductError('limit_reached', 'The instance is in as many networks as it has ports for.');
}

/**
 * The lowest number of those to which spokes keep an interface that no hub of the network has; once these are given, one
 * above the highest. Reads as many rows as there are such numbers, in a mesh of thousands of hubs too.
 */
export function takeHubSlot(context: ActionContext, networkId: string): Promise<number> {
  return takeHubSlotIn(context.trx, networkId);
}

export async function takeHubSlotIn(trx: Trx, networkId: string): Promise<number> {
  const lowest = await trx
    .selectFrom('peers')
    .select('hub_slot')
    .where('network_id', '=', networkId)
    .where('hub_slot', '<=', limits.transitHubsMax)
    .execute();
  const used = new Set(lowest.map((row) => row.hub_slot));
  for (let slot = 1; slot <= limits.transitHubsMax; slot++) if (!used.has(slot)) return slot;
  const highest = await trx
    .selectFrom('peers')
    .select('hub_slot')
    .where('network_id', '=', networkId)
    .where('hub_slot', 'is not', null)
    .orderBy('hub_slot', 'desc')
    .limit(1)
    .executeTakeFirst();
  return (highest?.hub_slot ?? 0) + 1;
}
