// The routing mode of a network and the AS number of its account, with what each can be changed to.
import { meshPeersFew } from '@powernode/core/limits/routing';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useMay } from '../../../app/permissions.ts';
import { PlannedDialog } from '../../../app/planned-dialog.tsx';
import { tell } from '../../../app/toasts.ts';
import { Button } from '../../../parts/button.tsx';
import { count } from '../../../parts/format.ts';
import { Note } from '../../../parts/states.tsx';
import { routingModeMeaning } from '../../networks/network-form.tsx';
import { AsNumber } from '../../settings/as-number.tsx';
import type { ViewProps } from '../view.ts';

export const routingModeWords = { static: 'Static', ibgp: 'iBGP' } as const;

export function RoutingHead({ network }: ViewProps) {
  const mayChange = useMay('updateNetwork');
  const mayRead = useMay('getAccountBgp');
  // Chosen when it is asked: a change of somebody else does not turn the question round.
  const [wanted, setWanted] = useState<'static' | 'ibgp' | null>(null);
  const { routing_mode: mode, peer_count: peers } = network;
  const other = mode === 'static' ? 'ibgp' : 'static';
  return (
    <>
      <div className="view-head">
        <span className="row">
          <span>Routing mode:</span>
          <strong>{routingModeWords[mode]}</strong>
          {mayChange ? (
            <Button size="small" onClick={() => setWanted(other)}>
              Change to {routingModeWords[other]}
            </Button>
          ) : null}
        </span>
        {mayRead ? (
          <span className="row">
            <Link to="/settings">AS number of the account</Link>
            <AsNumber />
          </span>
        ) : null}
      </div>
      <p className="muted">{routingModeMeaning[mode]}</p>
      {mode === 'ibgp' && peers < meshPeersFew ? (
        <Note tone="wait" icon="alert">
          The network has {count(peers, 'peer')}. With fewer than {meshPeersFew} there is one path to each
          prefix, so that BGP has nothing to choose from.
        </Note>
      ) : null}
      {wanted === null ? null : (
        <ModeDialog network={network} mode={wanted} onClose={() => setWanted(null)} />
      )}
    </>
  );
}

interface ModeDialogProps extends ViewProps {
  readonly mode: 'static' | 'ibgp';
  readonly onClose: () => void;
}

function ModeDialog({ network, mode, onClose }: ModeDialogProps) {
  const words = routingModeWords[mode];
  return (
    <PlannedDialog
      action="updateNetwork"
      parameters={{ network_id: network.id, routing_mode: mode, if_revision: network.revision }}
      title={`Change the routing mode of ${network.name} to ${words}`}
      verb={`Change to ${words}`}
      tone="primary"
      onClose={onClose}
      onDone={() => {
        onClose();
        tell({ tone: 'done', text: `Routing mode of ${network.name}: ${words}` });
      }}
    >
      {mode === 'ibgp'
        ? 'Each instance runs FRR for this network; one without FRR keeps static routes and says so. Until the sessions are established, static routes stay in use.'
        : 'The BGP sessions of the network end, and its route policies are kept and have no effect.'}
    </PlannedDialog>
  );
}
