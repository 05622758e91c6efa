// Moving a virtual IP by hand: to the best candidate or to one that is named, after a look at what it would do.
import type { VirtualIp } from '@powernode/core/intent/virtual-ip';
import { useState } from 'react';
import type { ChangePreview } from '../../../api/client.ts';
import { PlannedDialog } from '../../../app/planned-dialog.tsx';
import { tell } from '../../../app/toasts.ts';
import { SelectField } from '../../../parts/form.tsx';
import { Note } from '../../../parts/states.tsx';
import { Candidates, useCandidates } from './candidates.tsx';

export function FailoverDialog({ ip, onClose }: { readonly ip: VirtualIp; readonly onClose: () => void }) {
  const [target, setTarget] = useState('');
  // The sheet below has asked already; the choice does not wait for a dry run of its own.
  const { data: known } = useCandidates(ip.id, { enabled: true });
  const others = (known?.body.candidates ?? []).filter(
    ({ peer_id }) => peer_id !== ip.current_holder_peer_id,
  );
  return (
    <PlannedDialog
      action="failoverVirtualIp"
      parameters={{
        virtual_ip_id: ip.id,
        if_revision: ip.revision,
        ...(target === '' ? {} : { target_peer_id: target }),
      }}
      title={`Fail over ${ip.name}`}
      verb="Fail over"
      pointless={(body) => !moves(body)}
      about={(body) => (
        <>
          <Note tone={moves(body) ? 'info' : 'wait'} icon={moves(body) ? 'swap' : 'alert'}>
            {body.explanation}
          </Note>
          <Candidates candidates={body.candidates} holderId={body.previous_holder} />
        </>
      )}
      onClose={onClose}
      onDone={(body) => {
        tell({ tone: body.resolved ? 'done' : 'bad', text: body.explanation });
        onClose();
      }}
    >
      <p>
        The current holder releases the address before the new one takes it. Open connections to it are cut.
      </p>
      <SelectField
        label="Move to"
        value={target}
        onChange={setTarget}
        choices={[
          { value: '', text: 'Best candidate' },
          ...others.map(({ peer_id, hostname, score }) => ({
            value: peer_id,
            text: score === 0 ? `${hostname} (unavailable)` : hostname,
          })),
        ]}
      />
    </PlannedDialog>
  );
}

/** A dry run resolves nothing: what it would do is told by the holders. */
function moves(body: ChangePreview<'failoverVirtualIp'>['body']): boolean {
  return body.new_holder !== null && body.new_holder !== body.previous_holder;
}
