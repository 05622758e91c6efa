// Which peers hold virtual IPs, and how many devices are at each hub: what the topology shows of it.
import { useMemo } from 'react';
import type { Output } from '../../api/client.ts';
import { useMay } from '../../app/permissions.ts';
import { useRows } from '../../app/use-rows.ts';
import type { Duties } from './topology/spots.tsx';

type Topology = Output<'getTopology'>['topology'];

export function useDuties(networkId: string, topology: Topology | undefined): ReadonlyMap<string, Duties> {
  const filter = { network_id: networkId };
  const { rows: ips } = useRows('listVirtualIps', filter, { enabled: useMay('listVirtualIps') });
  return useMemo(() => {
    const duties = new Map<string, { virtualIps: string[]; devices: number }>();
    for (const node of topology?.nodes ?? []) {
      duties.set(node.peer_id, { virtualIps: [], devices: node.user_devices_count });
    }
    for (const ip of ips) {
      const anycast = [ip.primary_holder_peer_id, ...ip.failover_holder_peer_ids];
      const single = ip.current_holder_peer_id === null ? [] : [ip.current_holder_peer_id];
      for (const holder of ip.anycast ? anycast : single) duties.get(holder)?.virtualIps.push(ip.name);
    }
    return duties;
  }, [ips, topology]);
}
