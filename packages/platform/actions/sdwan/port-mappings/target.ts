// Where a port mapping leads: to a peer or a virtual IP of its own network, with an address of the family of the port mapping.
import { ProductError } from '@powernode/core/errors';
import type { Id, PeerId } from '@powernode/core/ids';
import { familyOf } from '@powernode/core/net/address';
import { type ActionContext, notFound } from '../../context.ts';
import { type NetworkRow, peerRow } from '../rows.ts';

export type TargetColumns =
  | { readonly internal_peer_id: PeerId; readonly internal_virtual_ip_id: null }
  | { readonly internal_peer_id: null; readonly internal_virtual_ip_id: Id<'virtual_ip'> };

/** The one that is given; both and none are refused. */
export function targetOf(input: {
  readonly internal_peer_id?: PeerId | null | undefined;
  readonly internal_virtual_ip_id?: Id<'virtual_ip'> | null | undefined;
}): TargetColumns {
  const { internal_peer_id: peerId = null, internal_virtual_ip_id: virtualIpId = null } = input;
  if (peerId !== null && virtualIpId === null)
    return { internal_peer_id: peerId, internal_virtual_ip_id: null };
  if (peerId === null && virtualIpId !== null)
    return { internal_peer_id: null, internal_virtual_ip_id: virtualIpId };
  const message = 'give exactly one of internal_peer_id and internal_virtual_ip_id';
  throw new ProductError('validation_failed', `${message}: the target of the port mapping.`, {
    fields: [{ path: 'internal_peer_id', code: 'exactly_one', message }],
  });
}

export interface Wanted {
  readonly network: NetworkRow;
  readonly externalAddress: string;
  readonly target: TargetColumns;
}

/** Refuses a target that is not in the network, or that the family of the port mapping cannot lead to. */
export async function refuseUnfitTarget(context: ActionContext, wanted: Wanted): Promise<void> {
  const { network, externalAddress, target } = wanted;
  const isIpv4 = familyOf(externalAddress) === 4;
  if (isIpv4 && network.ipv4_prefix === null) {
    const message = `the network "${network.name}" has no IPv4 prefix, and IPv4 cannot be rewritten to IPv6`;
    throw new ProductError(
      'conflict',
      `external_address: ${message}. Use an IPv6 address, or give the network an ipv4_prefix (system_sdwan_update_network).`,
      { fields: [{ path: 'external_address', code: 'no_ipv4_prefix', message }] },
    );
  }
  const { networkId, ipv4Address, path, name } = await readTarget(context, target);
  if (networkId !== network.id) {
    const message = `${name} is in another network than the port mapping`;
    throw new ProductError(
      'validation_failed',
      `${path}: ${message}. The target must be in the same network.`,
      {
        fields: [{ path, code: 'other_network', message }],
      },
    );
  }
  if (isIpv4 && ipv4Address === null) {
    const message = `${name} has no IPv4 address`;
    throw new ProductError('conflict', `${path}: ${message}. Use an IPv6 external_address.`, {
      fields: [{ path, code: 'no_ipv4_address', message }],
    });
  }
}

async function readTarget(context: ActionContext, target: TargetColumns) {
  if (target.internal_peer_id !== null) {
    const peer = await peerRow(context, target.internal_peer_id);
    return {
      networkId: peer.network_id,
      ipv4Address: peer.ipv4_address,
      path: 'internal_peer_id',
      name: `the peer ${peer.id}`,
    };
  }
  const id = target.internal_virtual_ip_id;
  const virtualIp = await context.trx
    .selectFrom('virtual_ips')
    .select(['id', 'name', 'network_id', 'ipv4_address'])
    .where('id', '=', id)
    .where('account_id', '=', context.accountId)
    .executeTakeFirst();
  if (virtualIp === undefined) throw notFound('virtual IP', id);
  return {
    networkId: virtualIp.network_id,
    ipv4Address: virtualIp.ipv4_address,
    path: 'internal_virtual_ip_id',
    name: `the virtual IP "${virtualIp.name}"`,
  };
}
