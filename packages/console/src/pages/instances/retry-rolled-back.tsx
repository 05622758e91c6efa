// What a machine took back because it had been cut off, tried there once more: the button and the question before it.
import { useState } from 'react';
import { useMay } from '../../app/permissions.ts';
import { PlannedDialog } from '../../app/planned-dialog.tsx';
import { tell } from '../../app/toasts.ts';
import { Button } from '../../parts/button.tsx';

/** The code of the problem that is repaired so. */
const rolledBack = 'change_rolled_back';

export interface RetryRolledBackProps {
  readonly instanceId: string;
  readonly hostname: string;
  /** What is wrong with the machine; without a change that it took back there is no button. */
  readonly problems: readonly { readonly code: string }[];
}

export function RetryRolledBack({ instanceId, hostname, problems }: RetryRolledBackProps) {
  const may = useMay('retryRolledBack');
  const [asking, setAsking] = useState(false);
  const close = () => setAsking(false);
  const offered = may && problems.some(({ code }) => code === rolledBack);
  return (
    <>
      {offered ? (
        <Button icon="play" onClick={() => setAsking(true)}>
          {' '}
          Retry
        </Button>
      ) : null}
      {asking ? (
        <PlannedDialog
          action="retryRolledBack"
          parameters={{ instance_id: instanceId }}
          title={`Retry on ${hostname}`}
          verb="Retry change"
          onClose={close}
          onDone={() => {
            close();
            tell({ tone: 'done', text: `${hostname} retries the change` });
          }}
        >
          <p>
            The instance applies the change again. If it loses the platform or every hub for 20 s, it rolls
            back again and reports the problem anew; until then it may forward no traffic.
          </p>
          <p>
            To apply something else instead, change the network: the instance picks up the new configuration
            by itself.
          </p>
        </PlannedDialog>
      ) : null}
    </>
  );
}
