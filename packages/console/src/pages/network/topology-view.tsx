// The topology of a network with what one should know before looking at it: warnings, what is left out.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import type { Output } from '../../api/client.ts';
import { lazyPart } from '../../app/lazy-page.tsx';
import { useMay } from '../../app/permissions.ts';
import type { NetworkSearch } from '../../app/search.ts';
import { useTopology } from '../../app/use-one.ts';
import { useRows } from '../../app/use-rows.ts';
import { Button } from '../../parts/button.tsx';
import { count } from '../../parts/format.ts';
import { Empty, Loaded, Note, Skeleton } from '../../parts/states.tsx';
import { useRoutes } from './routing/use-routes.ts';
import type { Lan } from './topology/lans.ts';
import type { Spot } from './topology/layout.ts';
import type { Duties } from './topology/spots.tsx';

const TopologyMap = lazyPart(
  () => import('./topology/topology-map.tsx'),
  'TopologyMap',
  <Skeleton what="the topology" lines={10} />,
);

export interface TopologyViewProps {
  readonly network: Output<'getNetwork'>['network'];
  readonly attach: () => void;
}

export function TopologyView({ network, attach }: TopologyViewProps) {
  const navigate = useNavigate();
  const { peer } = useSearch({ from: '/networks/$networkId' });
  const topology = useTopology(network.id, { enabled: true });
  const lans = useLans(network.id);
  const duties = useDuties(network.id, topology.data?.topology, lans);
  const open = useCallback(
    (spot: Spot) => {
      const search = searchOf(spot);
      void navigate({ to: '/networks/$networkId', params: { networkId: network.id }, search });
    },
    [navigate, network.id],
  );
  return (
    <Loaded
      what="the topology"
      data={topology.data?.topology}
      error={topology.error}
      retry={() => void topology.refetch()}
    >
      {(found) =>
        found.nodes.length === 0 ? (
          <NoPeers attach={attach} />
        ) : (
          <>
            {found.warnings.map((warning) => (
              <Note key={warning.detail} tone="wait" icon="alert">
                {warning.detail}
              </Note>
            ))}
            {found.truncated ? (
              <Note tone="info" icon="networks">
                The network is too large to draw: {count(found.nodes.length, 'instance')} are shown, hubs
                first. The tables list all of them.
              </Note>
            ) : null}
            <TopologyMap topology={found} duties={duties} lans={lans} chosen={peer ?? null} onOpen={open} />
          </>
        )
      }
    </Loaded>
  );
}

export function NoPeers({ attach }: { readonly attach: () => void }) {
  return (
    <Empty
      icon="instances"
      title="No peers yet"
      action={
        <Button variant="primary" icon="join" onClick={attach}>
          Attach an instance
        </Button>
      }
    >
      Start with an instance that is publicly reachable: it becomes a hub that relays for the others.
    </Empty>
  );
}

type Topology = Output<'getTopology'>['topology'];

/** What a press on it opens. */
function searchOf(spot: Spot): NetworkSearch {
  if (spot.kind === 'group') return { view: 'peers', status: spot.state, hub: spot.hubId };
  if (spot.kind === 'lan') return { view: 'routing', part: 'routes', prefix: spot.lan.prefix };
  return { view: 'topology', peer: spot.id };
}

const noLans: readonly Lan[] = [];

/** Those of whoever may see routes. What cannot be had is left out of the topology, which is there without it. */
function useLans(networkId: string): readonly Lan[] {
  const may = useMay('getRoutingSummary');
  const { rows } = useRoutes(networkId, may);
  return useMemo(
    () =>
      rows?.flatMap(({ id, source, description, holders, best }) =>
        source === 'declared_lan_subnet'
          ? [
              {
                prefix: id,
                description,
                holders: holders.map(({ peerId }) => ({ peerId, best: peerId === best })),
              },
            ]
          : [],
      ) ?? noLans,
    [rows],
  );
}

/** The LANs behind peers, the virtual IPs that they hold, and the number of devices at each hub. */
function useDuties(
  networkId: string,
  topology: Topology | undefined,
  lans: readonly Lan[],
): ReadonlyMap<string, Duties> {
  const filter = { network_id: networkId };
  const { rows: ips } = useRows('listVirtualIps', filter, { enabled: useMay('listVirtualIps') });
  return useMemo(() => {
    const duties = new Map<
      string,
      { virtualIps: string[]; devices: number; lans: { prefix: string; best: boolean }[] }
    >();
    for (const node of topology?.nodes ?? []) {
      duties.set(node.peer_id, { virtualIps: [], devices: node.user_devices_count, lans: [] });
    }
    for (const { prefix, holders } of lans) {
      for (const { peerId, best } of holders) duties.get(peerId)?.lans.push({ prefix, best });
    }
    for (const ip of ips) {
      const anycast = [ip.primary_holder_peer_id, ...ip.failover_holder_peer_ids];
      const single = ip.current_holder_peer_id === null ? [] : [ip.current_holder_peer_id];
      for (const holder of ip.anycast ? anycast : single) duties.get(holder)?.virtualIps.push(ip.name);
    }
    return duties;
  }, [ips, topology, lans]);
}
