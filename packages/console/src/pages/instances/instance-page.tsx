// One machine: what it should be and is, its parts, its networks.
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { Output } from '../../api/client.ts';
import { useMay } from '../../app/permissions.ts';
import { PlannedDialog } from '../../app/planned-dialog.tsx';
import { tell } from '../../app/toasts.ts';
import { useInstance } from '../../app/use-one.ts';
import { Button } from '../../parts/button.tsx';
import { Copyable } from '../../parts/copy.tsx';
import { Facts, Tiles } from '../../parts/facts.tsx';
import { Page, Section } from '../../parts/page.tsx';
import { Absent, Note } from '../../parts/states.tsx';
import {
  ConnectedMark,
  InstanceStatusMark,
  ProblemMark,
  SubsystemMark,
  SyncMark,
} from '../../parts/statuses.tsx';
import { Tags } from '../../parts/tags.tsx';
import { Ago, DateTime } from '../../parts/time.tsx';
import { DrainDialog } from './drain-dialog.tsx';
import { EditInstance } from './instance-form.tsx';
import { InstanceOperation } from './instance-operation.tsx';
import { InstancePeers } from './instance-peers.tsx';
import { isDraining, isThere } from './presence.ts';
import { RetryRolledBack } from './retry-rolled-back.tsx';

type Instance = Output<'getInstance'>['instance'];

export function InstancePage() {
  const { instanceId } = useParams({ from: '/instances/$instanceId' });
  const { data, error, refetch } = useInstance(instanceId);
  const crumbs = <Link to="/instances">Instances</Link>;
  if (data !== undefined) return <Known key={instanceId} instance={data.instance} />;
  return (
    <Page title="Instance" crumbs={crumbs}>
      <Absent what="the instance" error={error} retry={() => void refetch()} />
    </Page>
  );
}

/** A dialog of the page. */
type Opened = 'edit' | 'drain' | 'terminate';

interface OfInstance {
  readonly instance: Instance;
}

function Known({ instance }: OfInstance) {
  const may = useMay('terminateInstance');
  const [opened, setOpened] = useState<Opened | null>(null);
  const [startedId, setStartedId] = useState<string | null>(null);
  const gone = instance.status === 'terminated';
  return (
    <Page
      title={instance.hostname}
      crumbs={<Link to="/instances">Instances</Link>}
      marks={<Marks instance={instance} />}
      actions={may && !gone ? <Actions instance={instance} onOpen={setOpened} /> : null}
    >
      <Notes instance={instance} />
      <Figures instance={instance} />
      <InstanceOperation instanceId={instance.id} startedId={startedId} />
      {instance.problems.length > 0 ? (
        <Section
          title="Problems"
          aside={
            <RetryRolledBack
              instanceId={instance.id}
              hostname={instance.hostname}
              problems={instance.problems}
            />
          }
        >
          <Problems instance={instance} />
        </Section>
      ) : null}
      <div className="columns">
        <Section title="Health">
          <Subsystems instance={instance} />
        </Section>
        <Section title="Details">
          <Details instance={instance} />
        </Section>
      </div>
      <Section title="Networks">
        <InstancePeers instanceId={instance.id} />
      </Section>
      <OpenedDialog
        instance={instance}
        opened={opened}
        onClose={() => setOpened(null)}
        onStarted={setStartedId}
      />
    </Page>
  );
}

function Marks({ instance }: OfInstance) {
  return (
    <>
      <InstanceStatusMark status={instance.status} chip />
      {isThere(instance) ? (
        <ConnectedMark connected={instance.connected} since={instance.last_heard_at} chip />
      ) : null}
      {isThere(instance) ? <SyncMark inSync={instance.in_sync} chip /> : null}
    </>
  );
}

function Actions({ instance, onOpen }: OfInstance & { readonly onOpen: (dialog: Opened) => void }) {
  return (
    <>
      <Button icon="pencil" onClick={() => onOpen('edit')}>
        Edit
      </Button>
      {isThere(instance) ? (
        <Button icon={isDraining(instance) ? 'play' : 'pause'} onClick={() => onOpen('drain')}>
          {isDraining(instance) ? 'Return to service' : 'Drain'}
        </Button>
      ) : null}
      <Button icon="trash" onClick={() => onOpen('terminate')}>
        Terminate
      </Button>
    </>
  );
}

/** What keeps it from its work. */
function Notes({ instance }: OfInstance) {
  return (
    <>
      {instance.status === 'pending' ? (
        <Note tone="wait" icon="join" title="Not joined yet">
          The join command was shown when the instance was created. If it is lost or has expired, terminate
          this instance and create it again.
        </Note>
      ) : null}
      {isThere(instance) && instance.offline_since !== null ? (
        <Note tone="bad" icon="alert" title="Offline">
          The platform has not heard from its agent since <DateTime at={instance.offline_since} />.{' '}
          {instance.last_heard_by?.kind === 'peer' ? (
            <>
              {instance.last_heard_by.name} last heard from it in the overlay{' '}
              <Ago at={instance.last_heard_at} />.
            </>
          ) : (
            'No hub has heard from it since.'
          )}
        </Note>
      ) : null}
    </>
  );
}

function Figures({ instance }: OfInstance) {
  const mayReadChanges = useMay('listChanges');
  return (
    <Tiles
      tiles={[
        {
          name: 'Applied revision',
          value: instance.applied_revision ?? '—',
          more: 'read back from its kernel',
        },
        {
          name: 'Desired revision',
          value: mayReadChanges ? (
            <Link to="/changes" search={{ instance: instance.id }}>
              {instance.desired_revision}
            </Link>
          ) : (
            instance.desired_revision
          ),
          more: 'of the last change',
        },
        {
          name: 'Last seen',
          value: <Ago at={instance.last_heard_at} />,
          ...(instance.last_heard_by === null ? {} : { more: `by ${instance.last_heard_by.name}` }),
        },
        {
          name: 'Agent',
          value: instance.agent_version ?? '—',
          more: `platform ${instance.platform_version ?? '—'}`,
        },
        { name: 'Unused keys', value: instance.unused_keys, more: 'published in advance' },
      ]}
    />
  );
}

function Details({ instance }: OfInstance) {
  return (
    <div className="panel">
      <Facts
        facts={[
          [
            'Public address',
            instance.observed_address === null ? null : (
              <Copyable key="a" text={instance.observed_address} label="the address" />
            ),
          ],
          ['Publicly reachable', reachableText(instance)],
          ['Tags', <Tags key="t" tags={instance.tags} />],
          ['Provider', instance.provider],
          [
            'Certificate expires',
            instance.certificate_expires_at === null ? null : (
              <Ago key="c" at={instance.certificate_expires_at} />
            ),
          ],
          ['Created', <DateTime key="j" at={instance.created_at} />],
          ['ID', <Copyable key="i" text={instance.id} label="the ID" />],
        ]}
      />
    </div>
  );
}

function OpenedDialog({
  instance,
  opened,
  onClose,
  onStarted,
}: OfInstance & {
  readonly opened: Opened | null;
  readonly onClose: () => void;
  readonly onStarted: (operationId: string) => void;
}) {
  if (opened === 'edit') return <EditInstance instance={instance} onClose={onClose} />;
  if (opened === 'drain') {
    return <DrainDialog instance={instance} onClose={onClose} onStarted={onStarted} />;
  }
  if (opened === null) return null;
  return (
    <PlannedDialog
      action="terminateInstance"
      parameters={{ instance_id: instance.id, if_revision: instance.revision }}
      title={`Terminate ${instance.hostname}`}
      verb="Terminate instance"
      onClose={onClose}
      onDone={() => {
        onClose();
        tell({ tone: 'done', text: `${instance.hostname} is terminated` });
      }}
    >
      It is detached from every network, its certificate is revoked and it is disconnected. To return, it has
      to join again.
    </PlannedDialog>
  );
}

/** null: nobody has seen it yet. */
function reachableText({ observed_address, publicly_reachable }: Instance): string | null {
  if (observed_address === null) return null;
  return publicly_reachable ? 'yes' : 'no (behind NAT)';
}

/** What its agent says is wrong with it, the worst first. */
function Problems({ instance }: { readonly instance: Instance }) {
  return (
    <ul className="lines" aria-label="Problems">
      {instance.problems.map((one) => (
        <li key={`${one.code} ${one.network_id} ${one.peer_id} ${one.interface}`} className="line-item">
          <ProblemMark code={one.code} severity={one.severity} />
          <span className="grow">{one.detail}</span>
          <Ago at={one.since} />
        </li>
      ))}
    </ul>
  );
}

function Subsystems({ instance }: { readonly instance: Instance }) {
  if (instance.subsystems.length === 0) {
    return <p className="muted">It has not reported its health yet.</p>;
  }
  return (
    <ul className="lines">
      {instance.subsystems.map((part) => (
        <li key={part.name} className="line-item">
          <SubsystemMark state={part.state} />
          <strong>{part.name}</strong>
          <span className="grow muted">{part.message}</span>
          <Ago at={part.observed_at} />
        </li>
      ))}
    </ul>
  );
}
