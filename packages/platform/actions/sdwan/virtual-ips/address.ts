// The addresses of a virtual IP: the next free ones of its network, or one that was asked for.
import { ProductError } from '@powernode/core/errors';
import { formatAddress, parseAddress } from '@powernode/core/net/address';
import { parsePrefix } from '@powernode/core/net/prefix';
import { probeHostNumberFirst } from '@powernode/core/net/probe-address';
import type { ActionContext } from '../../context.ts';
import { type Addresses, nextIpv4, takeServiceAddress } from '../peers/allocation.ts';
import type { NetworkRow } from '../rows.ts';
import { takenAddresses } from '../taken-addresses.ts';

export async function addressesFor(
  context: ActionContext,
  of: { readonly network: NetworkRow; readonly id: string; readonly wanted: string | undefined },
): Promise<Addresses> {
  const { network, wanted } = of;
  if (wanted === undefined) return takeServiceAddress(context, { network, ownerId: of.id });
  const address = chosen(network, wanted);
  await refuseTaken(context, { networkId: network.id, address });
  return {
    address,
    ipv4Address: network.ipv4_prefix === null ? null : await nextIpv4(context, network),
  };
}

/** In the network, and not among the numbers that belong to probes. Numbers below those of peers are for services. */
function chosen(network: NetworkRow, text: string): string {
  const address = parseAddress(text);
  const prefix = parsePrefix(network.prefix);
  if (address === null || prefix === null) throw new Error(`${text} or ${network.prefix} cannot be read`);
  const number = address.bits - prefix.bits;
  const isInside = address.family === 6 && number >= 0n && number < 1n << BigInt(128 - prefix.length);
  if (!isInside) throw unfit(`${text} is not in the network's prefix ${network.prefix}`);
  if (number === 0n)
    throw unfit(`${text} is the network's own address (subnet-router anycast, RFC 4291 §2.6.1)`);
  if (number >= probeHostNumberFirst) throw unfit(`${text} is reserved for probes between peers`);
  return formatAddress(address);
}

function unfit(message: string): ProductError {
  return new ProductError('validation_failed', `address: ${message}. Choose another one, or omit it.`, {
    fields: [{ path: 'address', code: 'unfit_address', message }],
  });
}

async function refuseTaken(
  context: ActionContext,
  of: { readonly networkId: string; readonly address: string },
): Promise<void> {
  const { networkId, address } = of;
  // A peer or a device may still be called where it was. A virtual IP that is made again is called on purpose.
  const found = await takenAddresses(context, { networkId, addresses: [address], exceptOfVirtualIps: true });
  const owner = found.get(address);
  if (owner === undefined) return;
  throw taken(
    owner === null
      ? `${address} belonged to a peer or device recently and is not assigned again for 7 days`
      : `${address} belongs to ${owner}`,
  );
}

function taken(message: string): ProductError {
  return new ProductError('conflict', `address: ${message}. Choose another one, or omit it.`, {
    fields: [{ path: 'address', code: 'taken', message }],
  });
}
