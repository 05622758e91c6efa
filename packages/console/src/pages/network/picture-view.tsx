// The picture of a network with what one should know before looking at it: warnings, what is left out.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import type { Output } from '../../api/client.ts';
import { lazyPart } from '../../app/lazy-page.tsx';
import { useTopology } from '../../app/use-one.ts';
import { Button } from '../../parts/button.tsx';
import { count } from '../../parts/format.ts';
import { Empty, Loaded, Note, Skeleton } from '../../parts/states.tsx';
import type { Spot } from './picture/layout.ts';
import { useDuties } from './use-duties.ts';

const Picture = lazyPart(
  () => import('./picture/picture.tsx'),
  'Picture',
  <Skeleton what="the picture" lines={10} />,
);

export interface PictureViewProps {
  readonly network: Output<'getNetwork'>['network'];
  readonly attach: () => void;
}

export function PictureView({ network, attach }: PictureViewProps) {
  const navigate = useNavigate();
  const { peer } = useSearch({ from: '/networks/$networkId' });
  const topology = useTopology(network.id, { enabled: true });
  const duties = useDuties(network.id, topology.data?.topology);
  const open = useCallback(
    (spot: Spot) => {
      const search =
        spot.kind === 'group'
          ? { view: 'peers' as const, status: spot.status, hub: spot.hubId }
          : { view: 'picture' as const, peer: spot.id };
      void navigate({ to: '/networks/$networkId', params: { networkId: network.id }, search });
    },
    [navigate, network.id],
  );
  return (
    <Loaded
      what="the picture"
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
                The network is larger than a picture can be: {count(found.nodes.length, 'machine')} are
                considered, hubs first. The tables have all of them.
              </Note>
            ) : null}
            <Picture topology={found} duties={duties} chosen={peer ?? null} onOpen={open} />
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
      title="No machines in this network yet"
      action={
        <Button variant="primary" icon="join" onClick={attach}>
          Attach a machine
        </Button>
      }
    >
      Begin with one that others can reach from outside: it becomes a hub, through which the rest meet.
    </Empty>
  );
}
