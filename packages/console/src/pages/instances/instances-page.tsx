// The machines of the fleet.
import { Link, useNavigate } from '@tanstack/react-router';
import { type Row, useRows } from '../../app/use-rows.ts';
import { Page } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { ConnectedMark, InstanceStatusMark, SyncMark } from '../../parts/statuses.tsx';
import type { Column, Facet } from '../../parts/table/columns.ts';
import { Table } from '../../parts/table/table.tsx';
import { Tags } from '../../parts/tags.tsx';
import { Ago } from '../../parts/time.tsx';
import { isThere } from './presence.ts';

type Instance = Row<'listInstances'>;

const columns: readonly Column<Instance>[] = [
  {
    id: 'hostname',
    header: 'Instance',
    text: (i) => i.hostname,
    cell: (i, { tabIndex }) => (
      <Link to="/instances/$instanceId" params={{ instanceId: i.id }} tabIndex={tabIndex}>
        {i.hostname}
      </Link>
    ),
    width: [8.5, 1.6],
    card: 'title',
  },
  {
    id: 'status',
    header: 'Status',
    text: (i) => i.status,
    cell: (i) => <InstanceStatusMark status={i.status} />,
    width: [7, 0.8],
  },
  {
    id: 'connected',
    header: 'Connection',
    text: (i) => (isThere(i) ? (i.connected ? 'online' : 'offline') : '—'),
    cell: (i) =>
      isThere(i) ? (
        <ConnectedMark connected={i.connected} since={i.last_heard_at} />
      ) : (
        <span className="muted">—</span>
      ),
    width: [7, 0.8],
  },
  {
    id: 'sync',
    header: 'Configuration',
    text: (i) => (isThere(i) ? (i.in_sync ? 'in sync' : 'out of date') : '—'),
    cell: (i) => (isThere(i) ? <SyncMark inSync={i.in_sync} /> : <span className="muted">—</span>),
    width: [6, 0.6],
  },
  {
    id: 'revision',
    header: 'Applied / desired',
    text: (i) => `${i.applied_revision ?? '—'} / ${i.desired_revision}`,
    sort: (i) => i.applied_revision,
    width: [7.5, 0.7],
    end: true,
  },
  { id: 'agent', header: 'Agent', text: (i) => i.agent_version ?? '—', width: [4.5, 0.5] },
  {
    id: 'heartbeat',
    header: 'Last seen',
    text: (i) => i.last_heard_at ?? '',
    sort: (i) => i.last_heard_at,
    cell: (i) => <Ago at={i.last_heard_at} />,
    width: [6.5, 0.6],
  },
  {
    id: 'address',
    header: 'Public address',
    text: (i) => i.observed_address ?? '—',
    width: [8, 0.9],
    mono: true,
  },
  {
    id: 'tags',
    header: 'Tags',
    text: (i) => i.tags.join(' '),
    cell: (i) => <Tags tags={i.tags} />,
    width: [7, 1],
  },
  {
    id: 'keys',
    header: 'Unused keys',
    text: (i) => String(i.unused_keys),
    sort: (i) => i.unused_keys,
    width: [6, 0.5],
    end: true,
    extra: true,
  },
  {
    id: 'joined',
    header: 'Created',
    text: (i) => i.created_at,
    cell: (i) => <Ago at={i.created_at} />,
    width: [7, 0.6],
    extra: true,
  },
];

const facets: readonly Facet<Instance>[] = [
  { id: 'status', any: 'Any status', of: (i) => i.status },
  {
    id: 'connected',
    any: 'Online or offline',
    of: (i) => (isThere(i) ? String(i.connected) : ''),
    choices: [
      { value: 'true', text: 'online' },
      { value: 'false', text: 'offline' },
    ],
  },
  {
    id: 'sync',
    any: 'In sync or out of date',
    of: (i) => (isThere(i) ? String(i.in_sync) : ''),
    choices: [
      { value: 'true', text: 'in sync' },
      { value: 'false', text: 'out of date' },
    ],
  },
];

export function isCatchingUp(instance: Pick<Instance, 'connected' | 'in_sync' | 'status'>): boolean {
  return instance.connected && !instance.in_sync && instance.status !== 'terminated';
}

export function InstancesPage() {
  const navigate = useNavigate();
  const instances = useRows('listInstances', {}, { busy: (rows) => rows.some(isCatchingUp) });
  const join = (
    <Link className="button" data-variant="primary" to="/join">
      Add an instance
    </Link>
  );
  return (
    <Page
      title="Instances"
      intro="Each instance runs the agent and reports whether it matches its desired configuration."
      actions={join}
    >
      <Loaded what="instances" data={instances.data} error={instances.error} retry={instances.retry}>
        {(rows) => (
          <Table
            what="instances"
            columns={columns}
            facets={facets}
            rows={rows}
            rowKey={(i) => i.id}
            loading={!instances.complete}
            onOpen={(i) => void navigate({ to: '/instances/$instanceId', params: { instanceId: i.id } })}
            empty={
              <Empty icon="instances" title="No instances yet" action={join}>
                An instance joins with one command. It only has to reach this platform.
              </Empty>
            }
          />
        )}
      </Loaded>
    </Page>
  );
}
