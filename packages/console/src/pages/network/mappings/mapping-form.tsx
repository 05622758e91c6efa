// The form of a port mapping: the door outside, what it leads to, and who may come how often.
import type { PortMapping } from '@powernode/core/intent/port-mapping';
import { ChangeForm } from '../../../app/change-form.tsx';
import { type FieldsProps, type ObjectFormProps, useFieldValues } from '../../../app/object-form.tsx';
import { SelectField, TextArea, TextField } from '../../../parts/form.tsx';
import { PickField } from '../../../parts/pick-field.tsx';
import { numberOrText } from '../../form-values.ts';
import { usePeerNames, useVirtualIpNames } from '../names.ts';
import type { ViewProps } from '../view.ts';

type FormProps = ViewProps & ObjectFormProps<PortMapping>;

type Values = ReturnType<typeof freshValues>;

function freshValues() {
  return {
    external_address: '',
    external_port: '',
    protocol: 'tcp' as PortMapping['protocol'],
    target: 'peer' as 'peer' | 'virtual_ip',
    target_id: '',
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
    target: virtualIp === null ? 'peer' : 'virtual_ip',
    target_id: virtualIp ?? peer ?? '',
    internal_port: String(mapping.internal_port),
    sources: mapping.source_cidrs.join('\n'),
    rate_limit: String(mapping.rate_limit ?? ''),
    max_connections: String(mapping.max_connections ?? ''),
  };
}

function parametersOf(values: Values) {
  const limit = (text: string) => (text.trim() === '' ? null : numberOrText(text));
  const { target, target_id, sources, internal_port, external_port } = values;
  const chosen = target_id === '' ? {} : { [`internal_${target}_id`]: target_id };
  return {
    external_address: values.external_address.trim(),
    external_port: numberOrText(external_port),
    protocol: values.protocol,
    ...(chosen as { internal_peer_id?: string; internal_virtual_ip_id?: string }),
    // Most doors lead to the same port.
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
      verb="Make port mapping"
      parameters={{ network_id: network.id, ...parametersOf(fields.values) }}
      onCancel={onCancel}
      onDone={(answer) => onDone(answer.kind === 'done' ? answer.body.port_mapping : null)}
    >
      {(errorOf) => <Fields networkId={network.id} {...fields} errorOf={errorOf} />}
    </ChangeForm>
  );
}

export function EditMapping({
  network,
  mapping,
  onCancel,
  onDone,
}: FormProps & { readonly mapping: PortMapping }) {
  const fields = useFieldValues(() => valuesOf(mapping));
  return (
    <ChangeForm
      action="updatePortMapping"
      verb="Save"
      label="Edit the port mapping"
      panel
      parameters={{
        port_mapping_id: mapping.id,
        ...parametersOf(fields.values),
        if_revision: mapping.revision,
      }}
      onCancel={onCancel}
      onDone={(answer) => onDone(answer.kind === 'done' ? answer.body.port_mapping : null)}
    >
      {(errorOf) => <Fields networkId={network.id} {...fields} errorOf={errorOf} />}
    </ChangeForm>
  );
}

function Fields({ networkId, values, set, errorOf }: FieldsProps<Values> & { readonly networkId: string }) {
  const peers = usePeerNames(networkId);
  const virtualIps = useVirtualIpNames(networkId, values.target === 'virtual_ip');
  const targets = values.target === 'peer' ? peers.choices : virtualIps.choices;
  return (
    <>
      <div className="form-columns">
        <TextField
          label="External address"
          mono
          autoFocus
          placeholder="203.0.113.5"
          hint="Of a public hub. IPv4 serves IPv4 clients, IPv6 serves IPv6 clients."
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
          label="Leads to"
          hint="A virtual IP survives the machine that holds it."
          value={values.target}
          onChange={(target) => set({ target, target_id: '' })}
          choices={[
            { value: 'peer', text: 'A peer' },
            { value: 'virtual_ip', text: 'A virtual IP' },
          ]}
        />
        <PickField
          label="Leads to: which"
          value={values.target_id}
          onChange={(target_id) => set({ target_id })}
          choices={targets}
          error={errorOf('internal_peer_id') ?? errorOf('internal_virtual_ip_id')}
        />
        <TextField
          label="Internal port"
          optional
          numeric
          hint="The same as outside when empty."
          value={values.internal_port}
          onChange={(internal_port) => set({ internal_port })}
          error={errorOf('internal_port')}
        />
      </div>
      <TextArea
        label="Source ranges"
        optional
        hint="Prefixes, one a line. Without any, everybody may come."
        value={values.sources}
        onChange={(sources) => set({ sources })}
        error={errorOf('source_cidrs')}
      />
      <div className="form-columns">
        <TextField
          label="New connections a second"
          optional
          numeric
          value={values.rate_limit}
          onChange={(rate_limit) => set({ rate_limit })}
          error={errorOf('rate_limit')}
        />
        <TextField
          label="Connections at once"
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
