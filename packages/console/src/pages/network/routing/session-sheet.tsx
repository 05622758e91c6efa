// One session of BGP: what its instance says of it, and what probably keeps it from being established.
import type { BgpSession } from '@powernode/core/intent/bgp';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useMay } from '../../../app/permissions.ts';
import { PlannedDialog } from '../../../app/planned-dialog.tsx';
import { client } from '../../../app/platform.ts';
import { tell } from '../../../app/toasts.ts';
import type { Rows } from '../../../app/use-rows.ts';
import { Button } from '../../../parts/button.tsx';
import { CopyText } from '../../../parts/copy.tsx';
import { Sheet } from '../../../parts/dialog.tsx';
import { Facts } from '../../../parts/facts.tsx';
import { Section } from '../../../parts/page.tsx';
import { Absent, Empty, Loaded, Note } from '../../../parts/states.tsx';
import { Status } from '../../../parts/status.tsx';
import { Ago } from '../../../parts/time.tsx';
import { ObjectLink } from '../object-link.tsx';
import { isEstablished, sessionLook } from './session-look.ts';

export interface SessionSheetProps {
  readonly id: string;
  readonly sessions: Rows<BgpSession>;
  readonly onClose: () => void;
}

export function SessionSheet({ id, sessions, onClose }: SessionSheetProps) {
  const session = sessions.rows.find((one) => one.id === id);
  const title = session === undefined ? 'BGP session' : `${session.hostname} → ${session.neighbor_hostname}`;
  return (
    <Sheet title={title} onClose={onClose}>
      {session !== undefined ? <Known session={session} /> : null}
      {session === undefined && !sessions.complete ? (
        <Absent what="the session" error={sessions.error} retry={sessions.retry} />
      ) : null}
      {session === undefined && sessions.complete ? (
        <Empty icon="filter" title="Not found">
          One of its peers was detached, or the network does not speak BGP any more.
        </Empty>
      ) : null}
    </Sheet>
  );
}

function Known({ session }: { readonly session: BgpSession }) {
  const isUp = isEstablished(session);
  const [asked, setAsked] = useState(false);
  const { network_id: networkId, hostname, neighbor_hostname: neighbor } = session;
  return (
    <>
      <div className="row">
        <Status {...sessionLook(session)} chip />
      </div>
      {session.stale ? (
        <Note tone="wait" icon="offline">
          {hostname} is offline: this is what it reported last, and it may have changed.
        </Note>
      ) : null}
      <Facts
        facts={[
          [
            'Peer',
            <ObjectLink
              key="p"
              networkId={networkId}
              object={{ type: 'peer', id: session.peer_id, name: hostname }}
            />,
          ],
          [
            'Neighbor',
            <ObjectLink
              key="n"
              networkId={networkId}
              object={{ type: 'peer', id: session.neighbor_id, name: neighbor }}
            />,
          ],
          ['Uptime', isUp ? session.uptime : null],
          ['Prefixes received', isUp ? String(session.prefixes_received) : null],
          ['Last error', session.last_error],
          [
            'Cleared',
            session.last_reset === null ? null : <Ago key="c" at={session.last_reset.requested_at} />,
          ],
          ['Observed', <Ago key="o" at={session.observed_at} />],
        ]}
      />
      {isUp && !asked ? (
        <div className="row">
          <Button icon="help" onClick={() => setAsked(true)}>
            Diagnose
          </Button>
        </div>
      ) : (
        <Diagnosis session={session} />
      )}
    </>
  );
}

/** A dry run of the skill: what it recommends is done by a person, but for a step that is safe. */
function Diagnosis({ session }: { readonly session: BgpSession }) {
  const [opened, setOpened] = useState(false);
  const mayClear = useMay('executeSkill');
  const parameters = {
    skill: 'system-sdwan-bgp-session-remediate',
    inputs: { bgp_session_id: session.id },
  };
  const { data, error, refetch } = useQuery({
    queryKey: ['sessions', 'diagnosis', parameters],
    queryFn: async ({ signal }) => (await client.previewChange('executeSkill', parameters, signal)).body,
  });
  return (
    <Section title="Diagnosis">
      <Loaded what="the diagnosis" data={data} error={error} retry={() => void refetch()}>
        {({ likely_cause: cause, recommended_action: action, evidence, safe_step: step }) => (
          <>
            <h3>Likely cause</h3>
            <p>{cause}</p>
            <h3>Recommended action</h3>
            <CopyText text={action} label="the recommended action" />
            {step === null ? null : <p>{step.detail}</p>}
            {step === null || !mayClear ? null : (
              <div className="row">
                <Button variant="danger" onClick={() => setOpened(true)}>
                  Clear session
                </Button>
              </div>
            )}
            <h3>Evidence</h3>
            <ul className="lines">
              {evidence.map(({ code, detail }) => (
                <li key={`${code} ${detail}`} className="line-item">
                  <code>{code}</code>
                  <span className="grow">{detail}</span>
                </li>
              ))}
            </ul>
          </>
        )}
      </Loaded>
      {opened ? (
        <ClearDialog parameters={parameters} session={session} onClose={() => setOpened(false)} />
      ) : null}
    </Section>
  );
}

interface ClearDialogProps {
  readonly parameters: { readonly skill: string; readonly inputs: { readonly bgp_session_id: string } };
  readonly session: BgpSession;
  readonly onClose: () => void;
}

function ClearDialog({ parameters, session, onClose }: ClearDialogProps) {
  const { hostname, neighbor_hostname: neighbor } = session;
  return (
    <PlannedDialog
      action="executeSkill"
      parameters={{ ...parameters, dry_run: false }}
      title={`Clear the session of ${hostname} with ${neighbor}`}
      verb="Clear session"
      pointless={({ safe_step: step }) => step === null}
      onClose={onClose}
      onDone={({ carried_out: isDone }) => {
        tell(
          isDone
            ? { tone: 'done', text: `${hostname} clears its session with ${neighbor}` }
            : { tone: 'wait', text: 'Nothing was done: no step is safe any more' },
        );
        onClose();
      }}
    >
      <p>
        {hostname} clears the session once. Should it be established by then, it is refreshed and not
        interrupted.
      </p>
    </PlannedDialog>
  );
}
