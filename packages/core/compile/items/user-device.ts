// Devices of people: WireGuard clients without an agent, each behind its hub.
import { withLength } from '../../net/address.ts';
import type { DeviceEntry, EntryValue } from '../../wire/document.ts';
import { leafInterfaceName } from '../entries.ts';
import { unaffected } from '../entry-kind.ts';
import type { UserDeviceModel } from '../model.ts';
import { changedAddresses } from '../network-entry-kinds.ts';
import { type ItemContribution, type ItemKind, type Lookup, noContribution } from './kind.ts';

export const userDevice = {
  contribution: deviceContribution,
  advertised: ({ hubPeerId, addresses }) => [{ peerId: hubPeerId, addresses: addresses.map(withLength) }],
  member: ({ tags, addresses }) => ({ tags, addresses }),
  side: { noun: 'a device' },
  publicKey: ({ publicKey }) => publicKey,
  entryKinds: {
    device: { ...unaffected, describe, rollBack: { added: () => [], changed: changedAddresses } },
  },
} satisfies ItemKind<UserDeviceModel>;

function deviceContribution(item: UserDeviceModel, lookup: Lookup): ItemContribution {
  const hub = lookup.peer(item.hubPeerId);
  if (hub === undefined || hub.hubSlot === null) return noContribution;
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
  return { all: [], peers: new Map([[hub.id, entries]]) };
}

function describe({ addresses }: DeviceEntry): string {
  return `evaluate rules on packets of the device at ${addresses.join(' and ')} on its behalf`;
}
