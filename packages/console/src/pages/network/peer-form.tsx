// Changing a peer: its tags, and whether and where it can be reached.
import type { Output } from '../../api/client.ts';
import { EditForm } from '../../app/edit-form.tsx';
import { TagsField } from '../../parts/form.tsx';
import { type Reachability, ReachabilityFields, reachabilityParameters } from './reachability.tsx';

type Peer = Output<'getPeer'>['peer'];

interface Values extends Reachability {
  readonly tags: readonly string[];
}

function declaredOf(peer: Peer): Reachability['declared'] {
  if (peer.publicly_reachable_source === 'detected') return 'detect';
  return peer.publicly_reachable ? 'yes' : 'no';
}

function valuesOf(peer: Peer): Values {
  return {
    tags: peer.tags,
    declared: declaredOf(peer),
    endpoint: peer.endpoint_addresses.join(', '),
    listenPort: String(peer.listen_port),
  };
}

function parametersOf({ tags, ...reach }: Values) {
  const { endpoint_address: one, endpoint_addresses: several, ...same } = reachabilityParameters(reach);
  return {
    tags: [...tags],
    // An emptied field leaves the choice to the platform again.
    listen_port: null,
    ...same,
    // In one form, however many there are: what changed meanwhile is compared by parameter.
    endpoint_addresses: several ?? (one === null || one === undefined ? [] : [one]),
  };
}

export function PeerForm({ peer, onClose }: { readonly peer: Peer; readonly onClose: () => void }) {
  return (
    <EditForm
      action="updatePeer"
      object={peer}
      named={{ peer_id: peer.id }}
      valuesOf={valuesOf}
      parametersOf={parametersOf}
      label="Edit the peer"
      panel
      onCancel={onClose}
      onDone={onClose}
    >
      {({ values, set, errorOf }) => (
        <>
          <TagsField
            label="Tags"
            optional
            tags={values.tags}
            onChange={(tags) => set({ tags })}
            error={errorOf('tags')}
          />
          <ReachabilityFields
            value={values}
            onChange={set}
            error={errorOf('endpoint_addresses')}
            portError={errorOf('listen_port')}
          />
        </>
      )}
    </EditForm>
  );
}
