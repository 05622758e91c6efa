// What happens to packets that no rule names, and what the audit says of the whole.
import { type ReactNode, useState } from 'react';
import { useMay } from '../../../app/permissions.ts';
import { PlannedDialog } from '../../../app/planned-dialog.tsx';
import { tell } from '../../../app/toasts.ts';
import { Button } from '../../../parts/button.tsx';
import { ruleActionLooks } from '../../../parts/service-statuses.tsx';
import { Status } from '../../../parts/status.tsx';
import type { ViewProps } from '../view.ts';

export interface DefaultPolicyProps extends ViewProps {
  /** Empty: nothing was found. */
  readonly audit: string;
  readonly create: ReactNode;
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
        {audit === '' ? (
          <Status tone="ok" shape="tick" text="The audit finds nothing" />
        ) : (
          <Status tone="wait" shape="diamond" text={`The audit finds ${audit}`} />
        )}
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
