// The networks of the account.
import { Link, useNavigate } from '@tanstack/react-router';
import { ListTable } from '../../app/list-table.tsx';
import { tell } from '../../app/toasts.ts';
import { useOpener } from '../../app/use-opener.tsx';
import { type Row, useRows } from '../../app/use-rows.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Page } from '../../parts/page.tsx';
import { Empty } from '../../parts/states.tsx';
import type { Column } from '../../parts/table/columns.ts';
import { Ago } from '../../parts/time.tsx';
import { CreateNetwork } from './network-form.tsx';

type Network = Row<'listNetworks'>;

export const topologyWords = { hub_and_spoke: 'hub and spoke', full_mesh: 'full mesh' } as const;

const columns: readonly Column<Network>[] = [
  {
    id: 'name',
    header: 'Name',
    text: (n) => n.name,
    cell: (n, { tabIndex }) => (
      <Link to="/networks/$networkId" params={{ networkId: n.id }} tabIndex={tabIndex}>
        {n.name}
      </Link>
    ),
    width: [10, 2],
    card: 'title',
  },
  { id: 'prefix', header: 'Prefix', text: (n) => n.prefix, width: [13, 1.5], mono: true, card: 'wide' },
  {
    id: 'peers',
    header: 'Peers',
    text: (n) => String(n.peer_count),
    sort: (n) => n.peer_count,
    width: [5, 0.5],
    end: true,
  },
  {
    id: 'hubs',
    header: 'Hubs',
    text: (n) => String(n.hub_count),
    sort: (n) => n.hub_count,
    width: [4.5, 0.5],
    end: true,
  },
  { id: 'topology', header: 'Topology', text: (n) => topologyWords[n.topology_strategy], width: [9, 1] },
  { id: 'firewall', header: 'Default policy', text: (n) => n.firewall_default_policy, width: [6, 0.5] },
  { id: 'mtu', header: 'MTU', text: (n) => String(n.mtu), sort: (n) => n.mtu, width: [5, 0.4], end: true },
  { id: 'handle', header: 'Handle', text: (n) => n.handle, width: [7, 0.8], mono: true, extra: true },
  {
    id: 'description',
    header: 'Description',
    text: (n) => n.description,
    width: [12, 2],
    extra: true,
    card: 'wide',
  },
  {
    id: 'updated',
    header: 'Updated',
    text: (n) => n.updated_at,
    cell: (n) => <Ago at={n.updated_at} />,
    width: [7, 0.8],
  },
];

export function NetworksPage() {
  const navigate = useNavigate();
  const networks = useRows('listNetworks', {});
  const create = useOpener('createNetwork', {
    text: 'New network',
    opens: (close) => (
      <Dialog title="New network" onClose={close}>
        <CreateNetwork
          onCancel={close}
          onDone={(network) => {
            close();
            if (network === null) return;
            tell({ tone: 'done', text: `Network ${network.name} is created` });
            void navigate({ to: '/networks/$networkId', params: { networkId: network.id } });
          }}
        />
      </Dialog>
    ),
  });
  return (
    <Page title="Networks" intro="Encrypted IPv6 overlay networks, one /64 each." actions={create.button}>
      <ListTable
        what="networks"
        list={networks}
        columns={columns}
        onOpen={(n) => void navigate({ to: '/networks/$networkId', params: { networkId: n.id } })}
        empty={
          <Empty icon="networks" title="No networks yet" action={create.button}>
            A network connects instances anywhere over one encrypted prefix. Create one, then attach instances
            to it.
          </Empty>
        }
      />
      {create.opened}
    </Page>
  );
}
