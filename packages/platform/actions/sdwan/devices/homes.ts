// Networks and hubs that devices belong to, read once for many devices.
import { deviceEndpoints, preferredHubs, transitHubs } from '@powernode/core/compile/entries';
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import { ProductError } from '@powernode/core/errors';
import type { Family } from '@powernode/core/net/address';
import type { Trx } from '../../context.ts';
import { tunnelsModel } from '../networks/model.ts';
import { peerModel } from '../peers/model.ts';
import type { NetworkRow } from '../rows.ts';
import { type ConfigFacts, configFacts, familyOfEndpoint, staleReason } from './config.ts';
import type { UserDeviceRow } from './model.ts';

export interface Hub {
  readonly model: PeerModel;
  readonly hostname: string;
}

type DeviceColumns = Pick<
  UserDeviceRow,
  'network_id' | 'hub_peer_id' | 'host_address' | 'ipv4_address' | 'config_digest'
>;

/** Where devices are at home, as the rows say now. */
export class Homes {
  readonly #networks: ReadonlyMap<string, NetworkModel>;
  readonly #hubs: ReadonlyMap<string, Hub>;

  constructor(networks: Iterable<NetworkModel>, hubs: Iterable<Hub>) {
    this.#networks = new Map([...networks].map((network) => [network.id, network]));
    this.#hubs = new Map([...hubs].map((hub) => [hub.model.id, hub]));
  }

  hub(device: Pick<DeviceColumns, 'hub_peer_id'>): Hub | undefined {
    return this.#hubs.get(device.hub_peer_id);
  }

  /** What its configuration would be made from now; null: its hub cannot carry it. */
  facts(device: DeviceColumns): ConfigFacts | null {
    const network = this.#networks.get(device.network_id);
    if (network === undefined) return null;
    return configFacts(network, this.hub(device)?.model, {
      addresses: addressesOf(device),
      choice: { digest: device.config_digest },
    });
  }

  staleReason(device: DeviceColumns): string | null {
    return staleReason(device.config_digest, {
      hub: this.hub(device)?.model,
      facts: this.facts(device),
    });
  }
}

export function addressesOf(device: Pick<DeviceColumns, 'host_address' | 'ipv4_address'>): string[] {
  return device.ipv4_address === null ? [device.host_address] : [device.host_address, device.ipv4_address];
}

export async function homesOf(
  trx: Trx,
  of: {
    readonly accountId: string;
    readonly devices: readonly Pick<DeviceColumns, 'network_id' | 'hub_peer_id'>[];
  },
): Promise<Homes> {
  if (of.devices.length === 0) return new Homes([], []);
  const networks = await trx
    .selectFrom('networks')
    .selectAll()
    .where('account_id', '=', of.accountId)
    .where('id', 'in', [...new Set(of.devices.map((device) => device.network_id))])
    .execute();
  const hubs = await trx
    .selectFrom('peers')
    .innerJoin('instances', 'instances.id', 'peers.instance_id')
    .selectAll('peers')
    .select('instances.hostname')
    .where('peers.account_id', '=', of.accountId)
    .where('peers.id', 'in', [...new Set(of.devices.map((device) => device.hub_peer_id))])
    .execute();
  return new Homes(
    networks.map(tunnelsModel),
    hubs.map((row) => ({ model: peerModel(row), hostname: row.hostname })),
  );
}

/**
 * The hub for a device: spread over the network's, as spokes are. One that is being drained only when all are, and of a
 * family that the device is known to have those that can be called by it, where there are any.
 */
export async function chooseHub(
  trx: Trx,
  of: { readonly network: NetworkRow; readonly deviceId: string; readonly family: Family | null },
): Promise<PeerModel> {
  const rows = await trx
    .selectFrom('peers')
    .selectAll()
    .where('network_id', '=', of.network.id)
    .where('hub_slot', 'is not', null)
    .execute();
  const hubs = transitHubs(rows.map(peerModel));
  const fitting = hubs.filter((one) =>
    deviceEndpoints(one).some((endpoint) => familyOfEndpoint(endpoint) === of.family),
  );
  const [hub] = preferredHubs({ id: of.deviceId }, fitting.length === 0 ? hubs : fitting);
  if (hub !== undefined) return hub;
  throw new ProductError(
    'conflict',
    `The network "${of.network.name}" has no reachable hub for a device. Attach an instance that is publicly reachable (powernode peer attach --publicly-reachable).`,
  );
}
