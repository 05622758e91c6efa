// Changing a peer: its tags, and whether and where it can be reached.
import { type FormEvent, useState } from 'react';
import type { Output } from '../../api/client.ts';
import { useChange } from '../../app/use-change.ts';
import { Button } from '../../parts/button.tsx';
import { TagsField } from '../../parts/form.tsx';
import { ProblemNote } from '../../parts/states.tsx';
import { type Reachability, ReachabilityFields, reachabilityParameters } from './reachability.tsx';

type Peer = Output<'getPeer'>['peer'];

function declaredOf(peer: Peer): Reachability['declared'] {
  if (peer.publicly_reachable_source === 'detected') return 'detect';
  return peer.publicly_reachable ? 'yes' : 'no';
}

export function PeerForm({ peer, onClose }: { readonly peer: Peer; readonly onClose: () => void }) {
  const change = useChange('updatePeer');
  const [tags, setTags] = useState<readonly string[]>(peer.tags);
  const [reach, setReach] = useState<Reachability>({
    declared: declaredOf(peer),
    endpoint: peer.endpoint_address ?? '',
  });

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const answer = await change.run({
      peer_id: peer.id,
      tags: [...tags],
      ...reachabilityParameters(reach),
      if_revision: peer.revision,
    });
    if (answer !== null) onClose();
  }

  return (
    <form
      className="panel form"
      onSubmit={(event) => void submit(event)}
      noValidate
      aria-label="Edit the peer"
    >
      <TagsField label="Tags" optional tags={tags} onChange={setTags} error={change.fieldError('tags')} />
      <ReachabilityFields value={reach} onChange={setReach} error={change.fieldError('endpoint_address')} />
      <ProblemNote problem={change.problem} />
      <div className="form-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" busy={change.busy}>
          Save
        </Button>
      </div>
    </form>
  );
}
