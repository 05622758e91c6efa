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
import { ConnectedMark, InstanceStatusMark, SubsystemMark, SyncMark } from '../../parts/statuses.tsx';
import { Tags } from '../../parts/tags.tsx';
import { Ago, DateTime } from '../../parts/time.tsx';
import { DrainDialog } from './drain-dialog.tsx';
import { EditInstance } from './instance-form.tsx';
import { InstancePeers } from './instance-peers.tsx';
import { isDraining, isThere } from './presence.ts';

type Instance = Output<'getInstance'>['instance'];

export function InstancePage() {
  const { instanceId } = useParams({ from: '/instances/$instanceId' });
  const { data, error, refetch } = useInstance(instanceId);
  const crumbs = <Link to="/instances">Instances</Link>;
  if (data !== undefined) return <Known key={instanceId} instance={data.instance} />;
  return (
    <Page title="Instance" crumbs={crumbs}>
      <Absent what="the machine" error={error} retry={() => void refetch()} />
    </Page>
  );
}

function Known({ instance }: { readonly instance: Instance }) {
  const may = useMay('terminateInstance');
  const [opened, setOpened] = useState<'edit' | 'drain' | 'terminate' | null>(null);
  const close = () => setOpened(null);
  const gone = instance.status === 'terminated';
  return (
    <Page
      title={instance.hostname}
      crumbs={<Link to="/instances">Instances</Link>}
      marks={
        <>
          <InstanceStatusMark status={instance.status} chip />
          {isThere(instance) ? <ConnectedMark connected={instance.connected} chip /> : null}
          {isThere(instance) ? <SyncMark inSync={instance.in_sync} chip /> : null}
        </>
      }
      actions={
        may && !gone ? (
          <>
            <Button icon="pencil" onClick={() => setOpened('edit')}>
              Edit
            </Button>
            {isThere(instance) ? (
              <Button icon={isDraining(instance) ? 'play' : 'pause'} onClick={() => setOpened('drain')}>
                {isDraining(instance) ? 'Take back' : 'Drain'}
              </Button>
            ) : null}
            <Button icon="trash" onClick={() => setOpened('terminate')}>
              Terminate
            </Button>
          </>
        ) : null
      }
    >
      {instance.status === 'pending' ? (
        <Note tone="wait" icon="join" title="It has not joined yet">
          The command for it was shown when it was listed. If that is lost or no longer valid, terminate this
          machine and list it again.
        </Note>
      ) : null}
      <Tiles
        tiles={[
          {
            name: 'Applied revision',
            value: instance.applied_revision ?? '—',
            more: 'read back from its kernel',
          },
          { name: 'Desired revision', value: instance.desired_revision, more: 'of its last change' },
          { name: 'Heartbeat', value: <Ago at={instance.last_heartbeat_at} /> },
          {
            name: 'Agent',
            value: instance.agent_version ?? '—',
            more: `platform ${instance.platform_version ?? '—'}`,
          },
          { name: 'Spare keys', value: instance.unused_keys, more: 'published ahead' },
        ]}
      />
      <div className="columns">
        <Section title="Parts">
          <Subsystems instance={instance} />
        </Section>
        <Section title="Machine">
          <div className="panel">
            <Facts
              facts={[
                [
                  'Seen at',
                  instance.observed_address === null ? null : (
                    <Copyable key="a" text={instance.observed_address} label="the address" />
                  ),
                ],
                ['Reachable', reachableText(instance)],
                ['Tags', <Tags key="t" tags={instance.tags} />],
                ['Provider', instance.provider],
                [
                  'Certificate ends',
                  instance.certificate_expires_at === null ? null : (
                    <Ago key="c" at={instance.certificate_expires_at} />
                  ),
                ],
                ['In the fleet since', <DateTime key="j" at={instance.created_at} />],
                ['Identifier', <Copyable key="i" text={instance.id} label="the identifier" />],
              ]}
            />
          </div>
        </Section>
      </div>
      <Section title="Networks">
        <InstancePeers instanceId={instance.id} />
      </Section>
      {opened === 'edit' ? <EditInstance instance={instance} onClose={close} /> : null}
      {opened === 'drain' ? <DrainDialog instance={instance} onClose={close} /> : null}
      {opened === 'terminate' ? (
        <PlannedDialog
          action="terminateInstance"
          parameters={{ instance_id: instance.id }}
          title={`Terminate ${instance.hostname}`}
          verb="Terminate machine"
          onClose={close}
          onDone={() => {
            close();
            tell({ tone: 'done', text: `${instance.hostname} is terminated` });
          }}
        >
          It is detached from every network, its certificate is revoked and its stream ends. To come back it
          has to join again.
        </PlannedDialog>
      ) : null}
    </Page>
  );
}

/** null: nobody has seen it yet. */
function reachableText({ observed_address, publicly_reachable }: Instance): string | null {
  if (observed_address === null) return null;
  return publicly_reachable ? 'from outside' : 'not from outside (behind NAT)';
}

function Subsystems({ instance }: { readonly instance: Instance }) {
  if (instance.subsystems.length === 0) {
    return <p className="muted">It has not reported the state of its parts yet.</p>;
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
