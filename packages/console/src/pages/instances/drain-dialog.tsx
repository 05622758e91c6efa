// Draining a machine before maintenance, and taking it back: what moves away from it or may come back.
import { useState } from 'react';
import type { Output } from '../../api/client.ts';
import { PlannedDialog } from '../../app/planned-dialog.tsx';
import { tell } from '../../app/toasts.ts';
import { Section } from '../../parts/page.tsx';
import { isDraining } from './presence.ts';

type Instance = Output<'getInstance'>['instance'];
type Moves = Output<'drainInstance'>['moves'];

export interface DrainDialogProps {
  readonly instance: Instance;
  readonly onClose: () => void;
  /** The operation that ends when nothing depends on the instance any more. */
  readonly onStarted: (operationId: string) => void;
}

export function DrainDialog({ instance, onClose, onStarted }: DrainDialogProps) {
  // As it was asked for: news of the machine must not turn the dialog into its opposite.
  const [drain] = useState(() => !isDraining(instance));
  const { hostname } = instance;
  return (
    <PlannedDialog
      action="drainInstance"
      parameters={{ instance_id: instance.id, drain, if_revision: instance.revision }}
      title={drain ? `Drain ${hostname}` : `Return ${hostname} to service`}
      verb={drain ? 'Drain instance' : 'Return to service'}
      tone="primary"
      about={({ moves }) => <MoveList moves={moves} />}
      onClose={onClose}
      onDone={({ operation_id: operationId }) => {
        onClose();
        if (operationId !== null) onStarted(operationId);
        tell({
          tone: 'done',
          text: drain ? `${hostname} is being drained` : `${hostname} is back in service`,
        });
      }}
    >
      {drain
        ? 'Traffic moves away without loss: spokes switch to another hub, and virtual IPs move to their next holder. The instance stays in its networks.'
        : 'Spokes can use it as a hub again, and it can hold virtual IPs.'}
    </PlannedDialog>
  );
}

const objectWords: Readonly<Record<string, string>> = {
  hub: 'hub',
  virtual_ip: 'virtual IP',
};

function MoveList({ moves }: { readonly moves: Moves }) {
  return (
    <Section title="What moves">
      {moves.length === 0 ? <p className="muted">Nothing has to move.</p> : null}
      <ul className="lines">
        {moves.map((move) => (
          <li key={`${move.object} ${move.id}`} className="line-item">
            <span className="tag">{objectWords[move.object] ?? move.object}</span>
            <span className="grow">{move.detail}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
