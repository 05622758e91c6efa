// What happens, as it happens, and what happened before.
import { useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { type Event, subjectOf } from '../../api/event.ts';
import { Button } from '../../parts/button.tsx';
import { count, formatDateTime } from '../../parts/format.ts';
import { Page } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { SeverityMark } from '../../parts/statuses.tsx';
import type { Column, Facet } from '../../parts/table/columns.ts';
import { Table } from '../../parts/table/table.tsx';
import { Ago } from '../../parts/time.tsx';
import { EventSheet } from './event-sheet.tsx';
import { useEventFeed } from './use-event-feed.ts';

const columns: readonly Column<Event>[] = [
  {
    id: 'at',
    header: 'Time',
    text: (e) => formatDateTime(e.at),
    sort: (e) => e.at,
    cell: (e) => <Ago at={e.at} />,
    width: [7, 0.6],
  },
  {
    id: 'severity',
    header: 'Severity',
    text: (e) => e.severity,
    cell: (e) => <SeverityMark severity={e.severity} />,
    width: [7, 0.5],
  },
  { id: 'kind', header: 'Kind', text: (e) => e.kind, width: [14, 1.4], mono: true, card: 'title' },
  { id: 'subject', header: 'Object', text: subjectOf, width: [10, 1.4] },
  { id: 'actor', header: 'Actor', text: (e) => e.actor.name, width: [8, 0.8] },
  { id: 'actorKind', header: 'Actor type', text: (e) => e.actor.kind, width: [6, 0.5], extra: true },
  {
    id: 'correlation',
    header: 'Correlation ID',
    text: (e) => e.correlation_id,
    width: [12, 1],
    mono: true,
    extra: true,
  },
];

const severityFacet: Facet<Event> = {
  id: 'severity',
  any: 'Any severity',
  of: (e) => e.severity,
  choices: [
    { value: 'info', text: 'info' },
    { value: 'warning', text: 'warning' },
    { value: 'error', text: 'error' },
  ],
};

export function EventsPage() {
  const search = useSearch({ from: '/events' });
  const [prefix, setPrefix] = useState(search.kind ?? '');
  const [opened, setOpened] = useState<Event | null>(null);
  const feed = useEventFeed(prefix);
  const facets = useMemo(() => [severityFacet], []);
  return (
    <Page
      title="Events"
      intro="Every change, with its actor and the object before and after. Newest first, updated live."
      actions={
        <Button
          icon={feed.paused ? 'play' : 'pause'}
          variant={feed.paused ? 'primary' : 'default'}
          aria-pressed={feed.paused}
          onClick={feed.togglePause}
        >
          {feed.paused ? `Resume (${count(feed.held, 'new event')})` : 'Pause'}
        </Button>
      }
    >
      <Loaded what="events" data={feed.events} error={feed.error} retry={feed.retry}>
        {(rows) => (
          <Table
            what="events"
            columns={columns}
            facets={facets}
            rows={rows}
            rowKey={(e) => e.id}
            selectedKey={opened?.id ?? null}
            onOpen={setOpened}
            tools={
              <>
                <PrefixChoice value={prefix} onChange={setPrefix} />
                {feed.hasMore ? (
                  <Button variant="quiet" busy={feed.loadingMore} onClick={feed.loadMore}>
                    Load older
                  </Button>
                ) : null}
              </>
            }
            empty={
              <Empty icon="events" title="No events yet">
                {prefix === ''
                  ? 'Events appear here as soon as something changes.'
                  : `No event of ${prefix} exists.`}
                {prefix === '' ? null : (
                  <>
                    {' '}
                    <Button size="small" onClick={() => setPrefix('')}>
                      Show all kinds
                    </Button>
                  </>
                )}
              </Empty>
            }
          />
        )}
      </Loaded>
      {opened === null ? null : <EventSheet event={opened} onClose={() => setOpened(null)} />}
    </Page>
  );
}

interface PrefixChoiceProps {
  readonly value: string;
  readonly onChange: (prefix: string) => void;
}

function PrefixChoice({ value, onChange }: PrefixChoiceProps) {
  const known = kindPrefixes.some((prefix) => prefix.value === value);
  return (
    <select
      className="input facet"
      aria-label="Kind begins with"
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      <option value="">Any kind</option>
      {known || value === '' ? null : <option value={value}>{value}</option>}
      {kindPrefixes.map((prefix) => (
        <option key={prefix.value} value={prefix.value}>
          {prefix.text}
        </option>
      ))}
    </select>
  );
}

/** Prefixes of event kinds to filter by. */
const kindPrefixes: readonly { readonly value: string; readonly text: string }[] = [
  { value: 'sdwan.network.', text: 'Networks' },
  { value: 'sdwan.peer.', text: 'Peers' },
  { value: 'sdwan.virtual_ip.', text: 'Virtual IPs' },
  { value: 'sdwan.firewall_rule.', text: 'Firewall rules' },
  { value: 'sdwan.port_mapping.', text: 'Port mappings' },
  { value: 'sdwan.user_device.', text: 'Devices' },
  { value: 'sdwan.access_grant.', text: 'Access grants' },
  { value: 'system.instance.', text: 'Instances' },
  { value: 'system.join_token.', text: 'Join tokens' },
  { value: 'system.approval.', text: 'Approvals' },
  { value: 'system.policy.', text: 'Policies' },
  { value: 'system.operator.', text: 'Operators' },
  { value: 'system.api_token.', text: 'API tokens' },
];
