// Devices of people: WireGuard clients without an agent, each behind its hub.
import { withLength } from '../../net/address.ts';
import type { DeviceEntry, EntryValue } from '../../wire/document.ts';
import { leafInterfaceName } from '../entries.ts';
import type { UserDeviceModel } from '../model.ts';
import { type ItemKind, type ItemViews, type Lookup, nobody } from './kind.ts';

export const userDevice = {
  views: deviceViews,
  carried: ({ hubPeerId, addresses }) => [{ peerId: hubPeerId, addresses: addresses.map(withLength) }],
  member: ({ tags, addresses }) => ({ tags, addresses }),
  sentences: { device: describe },
} satisfies ItemKind<UserDeviceModel>;

function deviceViews(item: UserDeviceModel, lookup: Lookup): ItemViews {
  const hub = lookup.peer(item.hubPeerId);
  if (hub === undefined || hub.hubSlot === null) return nobody;
  const entries: EntryValue[] = [
    {
      kind: 'peer',
      interface: leafInterfaceName(lookup.network),
      peer_id: item.id,
      public_key: item.publicKey,
      endpoint: null,
      allowed_ips: item.addresses.map(withLength),
      keepalive: 0,
    },
    {
      kind: 'device',
      network_id: item.networkId,
      user_device_id: item.id,
      addresses: [...item.addresses],
    },
  ];
  return { everyone: [], peers: new Map([[hub.id, entries]]) };
}

function describe({ addresses }: DeviceEntry): string {
  return `evaluate rules on packets of the device at ${addresses.join(' and ')} on its behalf`;
}
