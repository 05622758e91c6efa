// What happens to packets that no rule names, and what the audit says of the whole.
import { type ReactNode, useState } from 'react';
import { useMay } from '../../../app/permissions.ts';
import { PlannedDialog } from '../../../app/planned-dialog.tsx';
import { tell } from '../../../app/toasts.ts';
import { Button } from '../../../parts/button.tsx';
import { ruleActionLooks } from '../../../parts/service-statuses.tsx';
import { Status, type StatusProps } from '../../../parts/status.tsx';
import type { ViewProps } from '../view.ts';
import { auditWords } from './rule-words.ts';
import type { Audit, AuditState } from './use-audit.ts';

export interface DefaultPolicyProps extends ViewProps {
  readonly audit: Audit;
  readonly create: ReactNode;
}

const unread: Readonly<Record<Exclude<AuditState, 'read'>, StatusProps>> = {
  loading: { tone: 'idle', shape: 'dotted', text: 'The audit is on its way', moving: true },
  failed: { tone: 'bad', shape: 'cross', text: 'The audit could not be read' },
  forbidden: { tone: 'idle', shape: 'ring', text: 'You may not see the audit' },
};

function auditLook({ state, findings }: Audit): StatusProps {
  if (state !== 'read') return unread[state];
  if (findings.length === 0) return { tone: 'ok', shape: 'tick', text: 'The audit finds nothing' };
  return { tone: 'wait', shape: 'diamond', text: `The audit finds ${auditWords(findings)}` };
}

export function DefaultPolicy({ network, audit, create }: DefaultPolicyProps) {
  const may = useMay('updateNetwork');
  const [changing, setChanging] = useState(false);
  const policy = network.firewall_default_policy;
  const other = policy === 'accept' ? 'drop' : 'accept';
  return (
    <div className="view-head">
      <span className="row">
        <span>What no rule names:</span>
        <Status {...ruleActionLooks[policy]} chip />
        {may ? (
          <Button size="small" onClick={() => setChanging(true)}>
            Change to {other}
          </Button>
        ) : null}
      </span>
      <span className="row">
        <Status {...auditLook(audit)} />
      </span>
      <span className="view-head-end">{create}</span>
      {changing ? (
        <PlannedDialog
          action="updateNetwork"
          parameters={{
            network_id: network.id,
            firewall_default_policy: other,
            if_revision: network.revision,
          }}
          title={`Change the default policy of ${network.name} to ${other}`}
          verb={`Change to ${other}`}
          keep={`Keep ${policy}`}
          onClose={() => setChanging(false)}
          onDone={() => {
            setChanging(false);
            tell({ tone: 'done', text: `What no rule of ${network.name} names: ${other}` });
          }}
        >
          {other === 'drop'
            ? 'What no rule accepts is dropped on its way in. Connections that are open go on.'
            : 'Whatever no rule drops or rejects is let in.'}
        </PlannedDialog>
      ) : null}
    </div>
  );
}
