// Attaching a machine: which one, whether others can reach it, where, with which tags.

import { consoleChoicesMax } from '@powernode/core/limits/console';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { tell } from '../../app/toasts.ts';
import { useChange } from '../../app/use-change.ts';
import { type Row, useRows } from '../../app/use-rows.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { TagsField, TextField } from '../../parts/form.tsx';
import { count } from '../../parts/format.ts';
import { Loaded, ProblemNote } from '../../parts/states.tsx';
import { ConnectedMark } from '../../parts/statuses.tsx';
import { ReachabilityFields, reachabilityParameters, undeclared } from './reachability.tsx';

type Instance = Row<'listInstances'>;

export interface AttachDialogProps {
  readonly networkId: string;
  readonly onClose: () => void;
}

export function AttachDialog({ networkId, onClose }: AttachDialogProps) {
  const change = useChange('attachPeer');
  const [instanceId, setInstanceId] = useState<string | null>(null);
  const [reach, setReach] = useState(undeclared);
  const [tags, setTags] = useState<readonly string[]>([]);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (instanceId === null) return;
    const answer = await change.run({
      network_id: networkId,
      node_instance_id: instanceId,
      ...reachabilityParameters(reach),
      ...(tags.length === 0 ? {} : { tags: [...tags] }),
    });
    if (answer === null) return;
    if (answer.kind === 'done') {
      tell({ tone: 'done', text: `${answer.body.peer.hostname} has ${answer.body.peer.host_address}` });
    }
    onClose();
  }

  return (
    <Dialog title="Attach an instance" onClose={onClose} wide>
      <form className="form" onSubmit={(event) => void submit(event)} noValidate>
        <InstanceChoice networkId={networkId} chosen={instanceId} onChoose={setInstanceId} />
        <ReachabilityFields
          value={reach}
          onChange={setReach}
          error={change.fieldError('endpoint_address')}
          portError={change.fieldError('listen_port')}
        />
        <TagsField label="Tags" optional tags={tags} onChange={setTags} error={change.fieldError('tags')} />
        <ProblemNote problem={change.problem} />
        <div className="form-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={change.busy} disabled={instanceId === null}>
            Attach
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface InstanceChoiceProps {
  readonly networkId: string;
  readonly chosen: string | null;
  readonly onChoose: (instanceId: string) => void;
}

function InstanceChoice({ networkId, chosen, onChoose }: InstanceChoiceProps) {
  const instances = useRows('listInstances', {});
  const peers = useRows('listPeers', { network_id: networkId });
  const [filter, setFilter] = useState('');
  const known = instances.data !== undefined && peers.data !== undefined;
  return (
    <fieldset className="field">
      <legend className="label">Instance</legend>
      <Loaded
        what="instances"
        data={known ? instances.rows : undefined}
        error={instances.error ?? peers.error}
      >
        {(rows) => {
          const inside = new Set(peers.rows.map((peer) => peer.node_instance_id));
          const free = rows.filter((row) => row.status !== 'terminated' && !inside.has(row.id));
          if (free.length === 0) return <NoInstances any={rows.length > 0} />;
          const fitting = free.filter((row) => row.hostname.toLowerCase().includes(filter.toLowerCase()));
          return (
            <>
              {free.length > 6 ? (
                <TextField
                  label="Find"
                  quiet
                  autoFocus
                  value={filter}
                  onChange={setFilter}
                  placeholder="Instance name"
                />
              ) : null}
              <div className="choices" role="radiogroup" aria-label="Instance">
                {fitting.slice(0, consoleChoicesMax).map((row) => (
                  <InstanceOption key={row.id} row={row} checked={row.id === chosen} onChoose={onChoose} />
                ))}
                {fitting.length > consoleChoicesMax ? (
                  <p className="hint">
                    and {count(fitting.length - consoleChoicesMax, 'more', 'more')}: type more of the name
                  </p>
                ) : null}
                {fitting.length === 0 ? <p className="hint">No unattached instance matches.</p> : null}
              </div>
            </>
          );
        }}
      </Loaded>
    </fieldset>
  );
}

interface InstanceOptionProps {
  readonly row: Instance;
  readonly checked: boolean;
  readonly onChoose: (instanceId: string) => void;
}

function InstanceOption({ row, checked, onChoose }: InstanceOptionProps) {
  return (
    <label className="choice">
      <input type="radio" name="instance" checked={checked} onChange={() => onChoose(row.id)} />
      <span className="grow">
        <strong>{row.hostname}</strong> <span className="muted">{row.observed_address}</span>
      </span>
      {row.publicly_reachable ? <span className="tag">public</span> : null}
      <ConnectedMark connected={row.connected} />
    </label>
  );
}

function NoInstances({ any }: { readonly any: boolean }) {
  return (
    <p className="hint">
      {any ? 'Every instance is already in this network. ' : 'No instance has joined yet. '}
      <Link to="/join">Add an instance</Link>
    </p>
  );
}
