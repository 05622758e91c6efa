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
  loading: { tone: 'idle', shape: 'dotted', text: 'Audit running', moving: true },
  failed: { tone: 'bad', shape: 'cross', text: 'Audit unavailable' },
  forbidden: { tone: 'idle', shape: 'ring', text: 'No permission to read the audit' },
};

function auditLook({ state, findings }: Audit): StatusProps {
  if (state !== 'read') return unread[state];
  if (findings.length === 0) return { tone: 'ok', shape: 'tick', text: 'Audit: no findings' };
  return { tone: 'wait', shape: 'diamond', text: `Audit: ${auditWords(findings)}` };
}

export function DefaultPolicy({ network, audit, create }: DefaultPolicyProps) {
  const may = useMay('updateNetwork');
  // Chosen when it is asked: a change of somebody else does not turn the question round.
  const [wanted, setWanted] = useState<'accept' | 'drop' | null>(null);
  const policy = network.firewall_default_policy;
  const other = policy === 'accept' ? 'drop' : 'accept';
  const close = () => setWanted(null);
  return (
    <div className="view-head">
      <span className="row">
        <span>Default policy:</span>
        <Status {...ruleActionLooks[policy]} chip />
        {may ? (
          <Button size="small" onClick={() => setWanted(other)}>
            Change to {other}
          </Button>
        ) : null}
      </span>
      <span className="row">
        <Status {...auditLook(audit)} />
      </span>
      <span className="view-head-end">{create}</span>
      {wanted === null ? null : (
        <PlannedDialog
          action="updateNetwork"
          parameters={{
            network_id: network.id,
            firewall_default_policy: wanted,
            if_revision: network.revision,
          }}
          title={`Change the default policy of ${network.name} to ${wanted}`}
          verb={`Change to ${wanted}`}
          onClose={close}
          onDone={() => {
            close();
            tell({ tone: 'done', text: `Default policy of ${network.name}: ${wanted}` });
          }}
        >
          {wanted === 'drop'
            ? `Incoming traffic that no rule accepts is dropped. Open connections ${network.rematch_connections ? 'that are no longer allowed are terminated' : 'continue'}.`
            : 'Incoming traffic that no rule drops or rejects is accepted.'}
        </PlannedDialog>
      )}
    </div>
  );
}
