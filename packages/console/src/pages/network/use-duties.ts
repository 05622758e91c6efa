// Which peers hold virtual IPs, and how many devices are at each hub: what the picture shows of it.
import { useMemo } from 'react';
import { useMay } from '../../app/permissions.ts';
import { type Row, useRows } from '../../app/use-rows.ts';
import type { Duties } from './picture/spots.tsx';

const none: readonly Row<'listUserDevices'>[] = [];

export interface NetworkDuties {
  readonly byPeer: ReadonlyMap<string, Duties>;
  /** There are too many devices to read all of them for a number at each hub. */
  readonly devicesUncounted: boolean;
}

export function useDuties(networkId: string): NetworkDuties {
  const filter = { network_id: networkId };
  const { rows: ips } = useRows('listVirtualIps', filter, { enabled: useMay('listVirtualIps') });
  const read = useRows('listUserDevices', filter, {
    enabled: useMay('listUserDevices'),
    firstPageOnly: true,
  });
  const devices = read.complete ? read.rows : none;
  const byPeer = useMemo(() => {
    const duties = new Map<string, { virtualIps: string[]; devices: number }>();
    function of(peerId: string) {
      const found = duties.get(peerId) ?? { virtualIps: [], devices: 0 };
      duties.set(peerId, found);
      return found;
    }
    for (const ip of ips) {
      const anycast = [ip.primary_holder_peer_id, ...ip.failover_holder_peer_ids];
      const single = ip.current_holder_peer_id === null ? [] : [ip.current_holder_peer_id];
      for (const holder of ip.anycast ? anycast : single) of(holder).virtualIps.push(ip.name);
    }
    for (const device of devices) if (device.status !== 'revoked') of(device.hub_peer_id).devices += 1;
    return duties;
  }, [ips, devices]);
  return { byPeer, devicesUncounted: read.data !== undefined && !read.complete };
}
