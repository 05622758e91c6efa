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
    header: 'Machine',
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
    header: 'Stream',
    text: (i) => (isThere(i) ? (i.connected ? 'connected' : 'away') : '—'),
    cell: (i) => (isThere(i) ? <ConnectedMark connected={i.connected} /> : <span className="muted">—</span>),
    width: [7, 0.8],
  },
  {
    id: 'sync',
    header: 'State',
    text: (i) => (isThere(i) ? (i.in_sync ? 'in sync' : 'behind') : '—'),
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
    header: 'Heartbeat',
    text: (i) => i.last_heartbeat_at ?? '',
    sort: (i) => i.last_heartbeat_at,
    cell: (i) => <Ago at={i.last_heartbeat_at} />,
    width: [6.5, 0.6],
  },
  { id: 'address', header: 'Seen at', text: (i) => i.observed_address ?? '—', width: [8, 0.9], mono: true },
  {
    id: 'tags',
    header: 'Tags',
    text: (i) => i.tags.join(' '),
    cell: (i) => <Tags tags={i.tags} />,
    width: [7, 1],
  },
  {
    id: 'keys',
    header: 'Spare keys',
    text: (i) => String(i.unused_keys),
    sort: (i) => i.unused_keys,
    width: [6, 0.5],
    end: true,
    extra: true,
  },
  {
    id: 'joined',
    header: 'In the fleet since',
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
    any: 'Connected or away',
    of: (i) => (isThere(i) ? String(i.connected) : ''),
    choices: [
      { value: 'true', text: 'connected' },
      { value: 'false', text: 'away' },
    ],
  },
  {
    id: 'sync',
    any: 'In sync or behind',
    of: (i) => (isThere(i) ? String(i.in_sync) : ''),
    choices: [
      { value: 'true', text: 'in sync' },
      { value: 'false', text: 'behind' },
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
      Join a machine
    </Link>
  );
  return (
    <Page
      title="Instances"
      intro="Machines that run the agent, and whether they are what they should be."
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
              <Empty icon="instances" title="No machines yet" action={join}>
                A machine joins with one command. It needs a way to this platform and nothing else.
              </Empty>
            }
          />
        )}
      </Loaded>
    </Page>
  );
}
