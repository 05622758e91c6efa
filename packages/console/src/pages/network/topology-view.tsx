// The topology of a network with what one should know before looking at it: warnings, what is left out.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import type { Output } from '../../api/client.ts';
import { lazyPart } from '../../app/lazy-page.tsx';
import { useTopology } from '../../app/use-one.ts';
import { Button } from '../../parts/button.tsx';
import { count } from '../../parts/format.ts';
import { Empty, Loaded, Note, Skeleton } from '../../parts/states.tsx';
import type { Spot } from './topology/layout.ts';
import { useDuties } from './use-duties.ts';

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
  const duties = useDuties(network.id, topology.data?.topology);
  const open = useCallback(
    (spot: Spot) => {
      const search =
        spot.kind === 'group'
          ? { view: 'peers' as const, status: spot.state, hub: spot.hubId }
          : { view: 'topology' as const, peer: spot.id };
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
            <TopologyMap topology={found} duties={duties} chosen={peer ?? null} onOpen={open} />
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
