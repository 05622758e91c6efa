// Changing a peer: its tags, and whether and where it can be reached.
import type { Output } from '../../api/client.ts';
import { EditForm } from '../../app/edit-form.tsx';
import { TagsField, TextField } from '../../parts/form.tsx';
import { type Reachability, ReachabilityFields, reachabilityParameters } from './reachability.tsx';

type Peer = Output<'getPeer'>['peer'];

interface Values extends Reachability {
  readonly tags: readonly string[];
  /** As an operator set it; empty: the platform or a cluster chose it. */
  readonly podSubnet: string;
}

function declaredOf(peer: Peer): Reachability['declared'] {
  if (peer.publicly_reachable_source === 'detected') return 'detect';
  return peer.publicly_reachable ? 'yes' : 'no';
}

function valuesOf(peer: Peer): Values {
  return {
    tags: peer.tags,
    podSubnet: peer.pod_subnet_source === 'set' ? (peer.pod_subnet ?? '') : '',
    declared: declaredOf(peer),
    endpoint: peer.endpoint_addresses.join(', '),
    listenPort: String(peer.listen_port),
  };
}

function parametersOf({ tags, podSubnet, ...reach }: Values) {
  const { endpoint_address: one, endpoint_addresses: several, ...same } = reachabilityParameters(reach);
  return {
    tags: [...tags],
    pod_subnet: podSubnet.trim() === '' ? null : podSubnet,
    // An emptied field leaves the choice to the platform again.
    listen_port: null,
    ...same,
    // In one form, however many there are: what changed meanwhile is compared by parameter.
    endpoint_addresses: several ?? (one === null || one === undefined ? [] : [one]),
  };
}

interface Props {
  readonly peer: Peer;
  /** Its network has pods. */
  readonly hasPods: boolean;
  readonly onClose: () => void;
}

export function PeerForm({ peer, hasPods, onClose }: Props) {
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
          {hasPods ? (
            <TextField
              label="Pod subnet"
              optional
              mono
              placeholder={peer.pod_subnet ?? ''}
              hint="Its slice of the pod subnet prefix. Default: what a cluster on the instance has, else one that is assigned."
              value={values.podSubnet}
              onChange={(podSubnet) => set({ podSubnet })}
              error={errorOf('pod_subnet')}
            />
          ) : null}
        </>
      )}
    </EditForm>
  );
}
