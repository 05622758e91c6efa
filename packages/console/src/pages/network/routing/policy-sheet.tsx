// One route policy: its statements with what an audit finds in each, what it compiles to, and what can be done with it.
import type { RoutePolicyFinding } from '@powernode/core/intent/bgp';
import type { RoutePolicy } from '@powernode/core/intent/route-policy';
import { useState } from 'react';
import { useMay } from '../../../app/permissions.ts';
import { PlannedDialog } from '../../../app/planned-dialog.tsx';
import { useOne } from '../../../app/use-one.ts';
import { Button } from '../../../parts/button.tsx';
import { Copyable, CopyText } from '../../../parts/copy.tsx';
import { Sheet } from '../../../parts/dialog.tsx';
import { Facts } from '../../../parts/facts.tsx';
import { Section } from '../../../parts/page.tsx';
import { PickField } from '../../../parts/pick-field.tsx';
import { Absent, Loaded, Note } from '../../../parts/states.tsx';
import { Status } from '../../../parts/status.tsx';
import { DateTime } from '../../../parts/time.tsx';
import { type NameOf, usePeerNames } from '../names.ts';
import type { ViewProps } from '../view.ts';
import { EditPolicy } from './policy-form.tsx';
import { StatementFinding } from './statement-finding.tsx';
import { matchWords, setWords } from './statement-words.ts';
import { goBackTo, reportDeleted } from './undo.ts';
import type { PolicyAudit } from './use-policy-audit.ts';

export interface PolicySheetProps extends ViewProps {
  readonly id: string;
  readonly audit: PolicyAudit;
  readonly onClose: () => void;
}

const directionMeaning = {
  import: 'import: evaluated by each peer, on what it receives',
  export: 'export: evaluated by the peer that announces, on what it announces itself',
} as const;

export function PolicySheet({ id, network, audit, onClose }: PolicySheetProps) {
  const { data, error, refetch } = useOne('route_policies', 'getRoutePolicy', { route_policy_id: id });
  const { nameOf } = usePeerNames(network.id);
  const policy = data?.route_policy;
  return (
    <Sheet title={policy?.name ?? 'Route policy'} onClose={onClose}>
      {policy === undefined ? (
        <Absent what="the route policy" error={error} retry={() => void refetch()} />
      ) : (
        <>
          <PolicyActions policy={policy} network={network} onGone={onClose} />
          <Facts
            facts={[
              ['Direction', directionMeaning[policy.direction]],
              ['Revision', String(policy.revision)],
              ['Created', <DateTime key="c" at={policy.created_at} />],
              ['ID', <Copyable key="i" text={policy.id} label="the ID" />],
            ]}
          />
          <Statements policy={policy} findings={audit.of(policy.id)} nameOf={nameOf} />
          <CompiledText network={network} />
        </>
      )}
    </Sheet>
  );
}

interface StatementsProps {
  readonly policy: RoutePolicy;
  readonly findings: readonly RoutePolicyFinding[];
  readonly nameOf: NameOf;
}

function Statements({ policy, findings, nameOf }: StatementsProps) {
  return (
    <Section title="Statements">
      <ol className="lines">
        {policy.statements.map((statement) => {
          const { seq, action } = statement;
          const sets = setWords(statement);
          return (
            <li key={seq} className="line-item">
              <span className="num muted">{seq}</span>
              <Status
                tone={action === 'permit' ? 'ok' : 'bad'}
                shape={action === 'permit' ? 'tick' : 'cross'}
                text={action}
              />
              <span className="grow">{matchWords(statement, nameOf)}</span>
              {sets === '' ? null : <span className="line-more">sets {sets}</span>}
              {findings
                .filter(({ object }) => object.seq === seq)
                .map((finding) => (
                  <StatementFinding key={finding.kind} finding={finding} />
                ))}
            </li>
          );
        })}
      </ol>
      <p className="hint">The first statement that matches decides. What none matches is permitted.</p>
    </Section>
  );
}

/** Of all policies of the network: a peer has them as one route-map for each direction. */
function CompiledText({ network }: ViewProps) {
  const peers = usePeerNames(network.id);
  const [chosen, setChosen] = useState('');
  const at = chosen === '' ? (peers.choices[0]?.value ?? '') : chosen;
  const { data, error, refetch } = useOne(
    'routes',
    'compileRoutePolicy',
    { peer_id: at },
    { enabled: at !== '' },
  );
  return (
    <Section title="Compiled route policies">
      {at === '' ? (
        <p className="muted">Nothing: the network has no peer.</p>
      ) : (
        <>
          <PickField label="At peer" value={at} onChange={setChosen} choices={peers.choices} />
          <Loaded what="the compiled text" data={data} error={error} retry={() => void refetch()}>
            {({ text }) =>
              text === '' ? (
                <p className="muted">Nothing: no statement changes anything.</p>
              ) : (
                <CopyText text={text} label="the compiled text" />
              )
            }
          </Loaded>
        </>
      )}
    </Section>
  );
}

interface ActionsProps extends ViewProps {
  readonly policy: RoutePolicy;
  readonly onGone: () => void;
}

/** What was saved a moment ago, over what. */
interface Saved {
  readonly before: RoutePolicy;
  readonly after: RoutePolicy;
}

function PolicyActions({ policy, network, onGone }: ActionsProps) {
  const may = useMay('updateRoutePolicy');
  const [opened, setOpened] = useState<'edit' | 'delete' | null>(null);
  const [before, setBefore] = useState(policy);
  const [saved, setSaved] = useState<Saved | null>(null);
  const close = () => setOpened(null);
  if (!may) return null;
  if (opened === 'edit') {
    return (
      <EditPolicy
        policy={policy}
        network={network}
        onCancel={close}
        onDone={(after) => {
          close();
          setSaved(after === null ? null : { before, after });
        }}
      />
    );
  }
  return (
    <>
      <div className="row">
        <Button
          icon="pencil"
          onClick={() => {
            setBefore(policy);
            setSaved(null);
            setOpened('edit');
          }}
        >
          Edit
        </Button>
        <Button icon="trash" onClick={() => setOpened('delete')}>
          Delete
        </Button>
      </div>
      <div role="status">
        {saved === null ? null : <SavedNote saved={saved} onUndone={() => setSaved(null)} />}
      </div>
      {opened === 'delete' ? (
        <PlannedDialog
          action="deleteRoutePolicy"
          parameters={{ route_policy_id: policy.id, if_revision: policy.revision }}
          title={`Delete ${policy.name}`}
          verb="Delete route policy"
          onClose={close}
          onDone={({ route_policy: gone }) => {
            reportDeleted(gone);
            onGone();
          }}
        >
          It is removed from every peer. No BGP session is reset: paths are evaluated again without it.
        </PlannedDialog>
      ) : null}
    </>
  );
}

/** Here and not in a message of the page, which the open sheet covers. */
function SavedNote({ saved, onUndone }: { readonly saved: Saved; readonly onUndone: () => void }) {
  const { before, after } = saved;
  const [busy, setBusy] = useState(false);
  // What a colleague changed in between would be taken back with it.
  const isOwn = after.revision === before.revision + 1;
  const undo = (
    <Button
      size="small"
      busy={busy}
      onClick={() => {
        setBusy(true);
        void goBackTo(before, after).then(onUndone);
      }}
    >
      Undo
    </Button>
  );
  return (
    <Note tone="ok" icon="check" action={isOwn ? undo : null}>
      {after.name} is saved.
    </Note>
  );
}
