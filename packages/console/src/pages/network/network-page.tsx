// One network: its topology, its peers, its tunnels, and what it serves. What it serves is loaded when it is looked at.
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { lazyPart } from '../../app/lazy-page.tsx';
import { useMay } from '../../app/permissions.ts';
import { PlannedDialog } from '../../app/planned-dialog.tsx';
import type { NetworkView } from '../../app/search.ts';
import { tell } from '../../app/toasts.ts';
import { useNetwork } from '../../app/use-one.ts';
import { Button } from '../../parts/button.tsx';
import { Copyable } from '../../parts/copy.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Tiles } from '../../parts/facts.tsx';
import { Page } from '../../parts/page.tsx';
import { Absent, Skeleton } from '../../parts/states.tsx';
import { EditNetwork } from '../networks/network-form.tsx';
import { topologyWords } from '../networks/networks-page.tsx';
import { AttachDialog } from './attach-dialog.tsx';
import { PeerSheet } from './peer-sheet.tsx';
import { PeersView } from './peers-view.tsx';
import { TopologyView } from './topology-view.tsx';
import { TunnelsView } from './tunnels-view.tsx';
import type { Network } from './view.ts';

type Opened = 'attach' | 'edit' | 'delete' | null;

const loading = <Skeleton what="the view" />;
const VirtualIpsView = lazyPart(
  () => import('./virtual-ips/virtual-ips-view.tsx'),
  'VirtualIpsView',
  loading,
);
const RoutingView = lazyPart(() => import('./routing/routing-view.tsx'), 'RoutingView', loading);
const FirewallView = lazyPart(() => import('./firewall/firewall-view.tsx'), 'FirewallView', loading);
const ReachView = lazyPart(() => import('./reach/reach-view.tsx'), 'ReachView', loading);
const MappingsView = lazyPart(() => import('./mappings/mappings-view.tsx'), 'MappingsView', loading);
const DevicesView = lazyPart(() => import('./devices/devices-view.tsx'), 'DevicesView', loading);

const views: readonly (readonly [view: NetworkView, text: string])[] = [
  ['topology', 'Topology'],
  ['peers', 'Peers'],
  ['tunnels', 'Tunnels'],
  ['routing', 'Routing'],
  ['virtual-ips', 'Virtual IPs'],
  ['firewall', 'Firewall'],
  ['reachability', 'Reachability'],
  ['port-mappings', 'Port forwarding'],
  ['devices', 'Devices'],
];

export function NetworkPage() {
  const { networkId } = useParams({ from: '/networks/$networkId' });
  const { data, error, refetch } = useNetwork(networkId);
  const crumbs = <Link to="/networks">Networks</Link>;
  if (data !== undefined) return <Known key={networkId} network={data.network} />;
  return (
    <Page title="Network" crumbs={crumbs}>
      <Absent what="the network" error={error} retry={() => void refetch()} />
    </Page>
  );
}

function Known({ network }: { readonly network: Network }) {
  const search = useSearch({ from: '/networks/$networkId' });
  const view = search.view ?? 'topology';
  const [opened, setOpened] = useState<Opened>(null);
  const close = () => setOpened(null);
  return (
    <Page
      title={network.name}
      crumbs={<Link to="/networks">Networks</Link>}
      {...(network.description === '' ? {} : { intro: network.description })}
      actions={<Actions networkId={network.id} open={setOpened} />}
    >
      <NetworkTiles network={network} />
      <Views networkId={network.id} view={view} />
      {view === 'topology' ? <TopologyView network={network} attach={() => setOpened('attach')} /> : null}
      {view === 'peers' ? <PeersView network={network} attach={() => setOpened('attach')} /> : null}
      {view === 'tunnels' ? <TunnelsView network={network} /> : null}
      {view === 'routing' ? <RoutingView network={network} /> : null}
      {view === 'virtual-ips' ? <VirtualIpsView network={network} /> : null}
      {view === 'firewall' ? <FirewallView network={network} /> : null}
      {view === 'reachability' ? <ReachView network={network} /> : null}
      {view === 'port-mappings' ? <MappingsView network={network} /> : null}
      {view === 'devices' ? <DevicesView network={network} /> : null}
      {opened === 'attach' ? <AttachDialog networkId={network.id} onClose={close} /> : null}
      {opened === 'edit' ? (
        <Dialog title={`Edit ${network.name}`} onClose={close}>
          <EditNetwork network={network} onCancel={close} onDone={close} />
        </Dialog>
      ) : null}
      {opened === 'delete' ? <DeleteNetwork network={network} onClose={close} /> : null}
      {search.peer === undefined ? null : (
        <PeerSheet key={search.peer} peerId={search.peer} network={network} />
      )}
    </Page>
  );
}

function Views({ networkId, view }: { readonly networkId: string; readonly view: NetworkView }) {
  const list = useRef<HTMLElement>(null);
  // On a narrow screen not all of them fit.
  useEffect(() => {
    const tab = list.current?.querySelector(`[data-view="${view}"]`);
    tab?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [view]);
  return (
    <nav className="tabs-list" aria-label="Views of the network" ref={list}>
      {views.map(([name, text]) => (
        <Link
          key={name}
          className="tab"
          to="/networks/$networkId"
          params={{ networkId }}
          search={{ view: name }}
          data-view={name}
          aria-current={name === view ? 'page' : undefined}
        >
          {text}
        </Link>
      ))}
    </nav>
  );
}

function Actions({ networkId, open }: { readonly networkId: string; readonly open: (what: Opened) => void }) {
  const mayReadChanges = useMay('listChanges');
  const mayAttach = useMay('attachPeer');
  const mayManage = useMay('updateNetwork');
  return (
    <>
      {mayAttach ? (
        <Button variant="primary" icon="join" onClick={() => open('attach')}>
          Attach an instance
        </Button>
      ) : null}
      {mayReadChanges ? (
        <Link className="button" data-variant="default" to="/changes" search={{ network: networkId }}>
          Changes
        </Link>
      ) : null}
      {mayManage ? (
        <>
          <Button icon="pencil" onClick={() => open('edit')}>
            Edit
          </Button>
          <Button icon="trash" onClick={() => open('delete')}>
            Delete
          </Button>
        </>
      ) : null}
    </>
  );
}

function NetworkTiles({ network }: { readonly network: Network }) {
  return (
    <Tiles
      tiles={[
        {
          name: 'Prefix',
          value: <Copyable text={network.prefix} label="the prefix" />,
          more: network.ipv4_prefix === null ? 'no IPv4' : `and ${network.ipv4_prefix}`,
        },
        {
          name: 'Peers',
          value: network.peer_count.toLocaleString('en-US'),
          more: `${network.hub_count} of them hubs`,
        },
        {
          name: 'Topology',
          value: topologyWords[network.topology_strategy],
          more: network.direct_paths ? 'direct paths enabled' : 'no direct paths',
        },
        {
          name: 'Interface',
          value: <code>wg-{network.handle}</code>,
          more: `MTU ${network.mtu}, ${network.routing_mode}`,
        },
        { name: 'Default policy', value: network.firewall_default_policy, more: 'firewall' },
        ...podTiles(network),
      ]}
    />
  );
}

/** What a cluster is to be started with. */
function podTiles({ flannel }: Network) {
  if (flannel === null) return [];
  return [
    {
      name: 'Pods',
      value: <Copyable text={flannel.cluster_cidr} label="the pod subnet prefix" />,
      more: `flannel ${flannel.flannel_backend} on ${flannel.flannel_iface}`,
    },
  ];
}

function DeleteNetwork({ network, onClose }: { readonly network: Network; readonly onClose: () => void }) {
  const navigate = useNavigate();
  return (
    <PlannedDialog
      action="deleteNetwork"
      parameters={{ network_id: network.id, if_revision: network.revision }}
      title={`Delete ${network.name}`}
      verb="Delete network"
      onClose={onClose}
      onDone={() => {
        tell({ tone: 'done', text: `Network ${network.name} is deleted` });
        void navigate({ to: '/networks' });
      }}
    >
      All of its peers are detached; their instances remove its interfaces, addresses and routes.
    </PlannedDialog>
  );
}
