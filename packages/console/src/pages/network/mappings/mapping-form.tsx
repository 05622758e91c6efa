// The form of a port mapping: the port outside, what it leads to, and who may come how often.
import type { PortMapping } from '@powernode/core/intent/port-mapping';
import { ChangeForm } from '../../../app/change-form.tsx';
import { EditForm } from '../../../app/edit-form.tsx';
import { type FieldsProps, type ObjectFormProps, useFieldValues } from '../../../app/object-form.tsx';
import { SelectField, TextArea, TextField } from '../../../parts/form.tsx';
import { PickField } from '../../../parts/pick-field.tsx';
import { numberOrText } from '../../form-values.ts';
import { useMemberNames, usePeerNames, useVirtualIpNames } from '../names.ts';
import type { ViewProps } from '../view.ts';

type FormProps = ViewProps & ObjectFormProps<PortMapping>;

type Values = ReturnType<typeof freshValues>;

function freshValues() {
  return {
    external_address: '',
    external_port: '',
    protocol: 'tcp' as PortMapping['protocol'],
    target: { kind: 'peer' as 'peer' | 'virtual_ip', id: '' },
    internal_port: '',
    sources: '',
    rate_limit: '',
    max_connections: '',
  };
}

function valuesOf(mapping: PortMapping): Values {
  const { internal_peer_id: peer, internal_virtual_ip_id: virtualIp } = mapping;
  return {
    external_address: mapping.external_address,
    external_port: String(mapping.external_port),
    protocol: mapping.protocol,
    target: { kind: virtualIp === null ? 'peer' : 'virtual_ip', id: virtualIp ?? peer ?? '' },
    internal_port: String(mapping.internal_port),
    sources: mapping.source_cidrs.join('\n'),
    rate_limit: String(mapping.rate_limit ?? ''),
    max_connections: String(mapping.max_connections ?? ''),
  };
}

function parametersOf(values: Values) {
  const limit = (text: string) => (text.trim() === '' ? null : numberOrText(text));
  const { target, sources, internal_port, external_port } = values;
  const chosen = target.id === '' ? {} : { [`internal_${target.kind}_id`]: target.id };
  return {
    external_address: values.external_address.trim(),
    external_port: numberOrText(external_port),
    protocol: values.protocol,
    ...(chosen as { internal_peer_id?: string; internal_virtual_ip_id?: string }),
    // Most port mappings lead to the same port.
    internal_port: numberOrText(internal_port.trim() === '' ? external_port : internal_port),
    source_cidrs: sources.split(/[\s,]+/).filter((text) => text !== ''),
    rate_limit: limit(values.rate_limit),
    max_connections: limit(values.max_connections),
  };
}

export function CreateMapping({ network, onCancel, onDone }: FormProps) {
  const fields = useFieldValues(freshValues);
  return (
    <ChangeForm
      action="createPortMapping"
      verb="Create port mapping"
      parameters={{ network_id: network.id, ...parametersOf(fields.values) }}
      onCancel={onCancel}
      onDone={(answer) => onDone(answer.kind === 'done' ? answer.body.port_mapping : null)}
    >
      {(errorOf) => <Fields networkId={network.id} {...fields} errorOf={errorOf} />}
    </ChangeForm>
  );
}

/** A target that was taken out and not chosen again is sent as it is, so that the platform says what is missing. */
function editedParametersOf(values: Values) {
  const { kind, id } = values.target;
  return { ...parametersOf(values), ...(id === '' ? { [`internal_${kind}_id`]: '' } : {}) };
}

export function EditMapping({
  network,
  mapping,
  onCancel,
  onDone,
}: FormProps & { readonly mapping: PortMapping }) {
  const nameOf = useMemberNames(network.id);
  return (
    <EditForm
      action="updatePortMapping"
      object={mapping}
      named={{ port_mapping_id: mapping.id }}
      valuesOf={valuesOf}
      parametersOf={editedParametersOf}
      nameOf={nameOf}
      label="Edit the port mapping"
      panel
      onCancel={onCancel}
      onDone={(answer) => onDone(answer.kind === 'done' ? answer.body.port_mapping : null)}
    >
      {(fields) => <Fields networkId={network.id} {...fields} />}
    </EditForm>
  );
}

// oxlint-disable-next-line max-lines-per-function -- one field after the other
function Fields({ networkId, values, set, errorOf }: FieldsProps<Values> & { readonly networkId: string }) {
  const peers = usePeerNames(networkId);
  const virtualIps = useVirtualIpNames(networkId, values.target.kind === 'virtual_ip');
  const targets = values.target.kind === 'peer' ? peers.choices : virtualIps.choices;
  return (
    <>
      <div className="form-columns">
        <TextField
          label="External address"
          mono
          autoFocus
          placeholder="203.0.113.5"
          hint="An address of a hub: IPv4 for IPv4 clients, IPv6 for IPv6 clients."
          suggestions={hubAddresses(peers.rows)}
          value={values.external_address}
          onChange={(external_address) => set({ external_address })}
          error={errorOf('external_address')}
        />
        <TextField
          label="External port"
          numeric
          value={values.external_port}
          onChange={(external_port) => set({ external_port })}
          error={errorOf('external_port')}
        />
        <SelectField
          label="Protocol"
          value={values.protocol}
          onChange={(protocol) => set({ protocol })}
          choices={[
            { value: 'tcp', text: 'TCP' },
            { value: 'udp', text: 'UDP' },
          ]}
          error={errorOf('protocol')}
        />
      </div>
      <div className="form-columns">
        <SelectField
          label="Target"
          hint="A virtual IP stays reachable when its holder fails."
          value={values.target.kind}
          onChange={(kind) => set({ target: { kind, id: '' } })}
          choices={[
            { value: 'peer', text: 'Peer' },
            { value: 'virtual_ip', text: 'Virtual IP' },
          ]}
        />
        <PickField
          label="Target: which"
          value={values.target.id}
          onChange={(id) => set({ target: { ...values.target, id } })}
          choices={targets}
          error={errorOf('internal_peer_id') ?? errorOf('internal_virtual_ip_id')}
        />
        <TextField
          label="Target port"
          optional
          numeric
          hint="Default: the external port."
          value={values.internal_port}
          onChange={(internal_port) => set({ internal_port })}
          error={errorOf('internal_port')}
        />
      </div>
      <TextArea
        label="Allowed sources"
        optional
        hint="CIDR prefixes, one per line. Default: any source."
        value={values.sources}
        onChange={(sources) => set({ sources })}
        error={errorOf('source_cidrs')}
      />
      <div className="form-columns">
        <TextField
          label="New connections per second"
          optional
          numeric
          value={values.rate_limit}
          onChange={(rate_limit) => set({ rate_limit })}
          error={errorOf('rate_limit')}
        />
        <TextField
          label="Concurrent connections"
          optional
          numeric
          value={values.max_connections}
          onChange={(max_connections) => set({ max_connections })}
          error={errorOf('max_connections')}
        />
      </div>
    </>
  );
}

/** Where hubs are met from outside: what an external address most often is. */
function hubAddresses(peers: ReturnType<typeof usePeerNames>['rows']): readonly string[] {
  const addresses = peers.flatMap(({ role, endpoint }) =>
    role === 'hub' && endpoint !== null ? [endpoint.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')] : [],
  );
  return [...new Set(addresses)].sort();
}
