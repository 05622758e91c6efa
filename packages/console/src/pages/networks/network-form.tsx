// The form of a network: making one, and changing what may change.
import type { Output } from '../../api/client.ts';
import { ChangeForm } from '../../app/change-form.tsx';
import { EditForm } from '../../app/edit-form.tsx';
import { type FieldsProps, NameField, type ObjectFormProps, useFieldValues } from '../../app/object-form.tsx';
import { Check, SelectField, TextArea, TextField } from '../../parts/form.tsx';
import { numberOrText, withoutBlanks } from '../form-values.ts';

type Network = Output<'getNetwork'>['network'];

type FormProps = ObjectFormProps<Network>;

const ipv4Choices = [
  { value: 'free', text: 'Automatic' },
  { value: 'own', text: 'Custom prefix' },
  { value: 'none', text: 'No IPv4' },
] as const;
type Ipv4Choice = (typeof ipv4Choices)[number]['value'];

export function CreateNetwork({ onCancel, onDone }: FormProps) {
  const { values, set } = useFieldValues(() => ({
    name: '',
    description: '',
    prefix: '',
    ipv4: 'free' as Ipv4Choice,
    ipv4_prefix: '',
    pod_subnet_prefix: '',
    topology_strategy: 'hub_and_spoke' as Network['topology_strategy'],
    routing_mode: 'static' as Network['routing_mode'],
    firewall_default_policy: 'accept' as Network['firewall_default_policy'],
    direct_paths: true,
    rematch_connections: true,
    mtu: '',
  }));
  const { name, description, prefix, ipv4, ipv4_prefix, pod_subnet_prefix, mtu, ...choices } = values;

  return (
    <ChangeForm
      action="createNetwork"
      verb="Create network"
      parameters={{
        name,
        ...choices,
        ...withoutBlanks({ description, prefix, pod_subnet_prefix }),
        ...(ipv4 === 'free' ? {} : { ipv4_prefix: ipv4 === 'none' ? null : ipv4_prefix }),
        ...(mtu.trim() === '' ? {} : { mtu: numberOrText(mtu) }),
      }}
      onCancel={onCancel}
      onDone={(answer) => onDone(answer.kind === 'done' ? answer.body.network : null)}
    >
      {(errorOf) => (
        <>
          <NameField {...{ values, set, errorOf }} />
          <TextField
            label="Prefix"
            optional
            mono
            placeholder="fd00:1:2:3::/64"
            hint="A /64 of fd00::/8. Default: a free one from the account’s pool."
            value={prefix}
            onChange={(next) => set({ prefix: next })}
            error={errorOf('prefix')}
          />
          <Ipv4
            {...{ values, set, errorOf }}
            choices={ipv4Choices}
            hint="For software and port forwarding that only support IPv4."
          />
          <Pods {...{ values, set, errorOf }} />
          <Shared {...{ values, set, errorOf }} />
        </>
      )}
    </ChangeForm>
  );
}

function valuesOf(network: Network) {
  return {
    name: network.name,
    description: network.description,
    pod_subnet_prefix: network.pod_subnet_prefix ?? '',
    topology_strategy: network.topology_strategy,
    routing_mode: network.routing_mode,
    firewall_default_policy: network.firewall_default_policy,
    direct_paths: network.direct_paths,
    rematch_connections: network.rematch_connections,
    mtu: String(network.mtu),
    ipv4Prefix: {
      ipv4: (network.ipv4_prefix === null ? 'none' : 'own') as Ipv4Choice,
      ipv4_prefix: network.ipv4_prefix ?? '',
    },
  };
}

function parametersOf({ ipv4Prefix, mtu, pod_subnet_prefix: pods, ...fields }: ReturnType<typeof valuesOf>) {
  return {
    ...fields,
    pod_subnet_prefix: pods.trim() === '' ? null : pods,
    ipv4_prefix: ipv4Prefix.ipv4 === 'none' ? null : ipv4Prefix.ipv4_prefix,
    mtu: numberOrText(mtu),
  };
}

export function EditNetwork({ network, onCancel, onDone }: FormProps & { readonly network: Network }) {
  return (
    <EditForm
      action="updateNetwork"
      object={network}
      named={{ network_id: network.id }}
      valuesOf={valuesOf}
      parametersOf={parametersOf}
      onCancel={onCancel}
      onDone={(answer) => onDone(answer.kind === 'done' ? answer.body.network : null)}
    >
      {({ values, set, errorOf }) => (
        <>
          <NameField {...{ values, set, errorOf }} />
          <Ipv4
            values={values.ipv4Prefix}
            set={(part) => set({ ipv4Prefix: { ...values.ipv4Prefix, ...part } })}
            errorOf={errorOf}
            choices={ipv4Choices.filter(({ value }) => value !== 'free')}
            hint="Changing it renumbers the whole network in IPv4; devices have to be reissued."
          />
          <Pods {...{ values, set, errorOf }} />
          <Shared {...{ values, set, errorOf }} />
        </>
      )}
    </EditForm>
  );
}

interface Ipv4Props extends FieldsProps<{ readonly ipv4: Ipv4Choice; readonly ipv4_prefix: string }> {
  readonly choices: readonly (typeof ipv4Choices)[number][];
  readonly hint: string;
}

function Ipv4({ values, set, errorOf, choices, hint }: Ipv4Props) {
  const isOwn = values.ipv4 === 'own';
  return (
    <div className="form-columns">
      <SelectField
        label="IPv4"
        hint={hint}
        value={values.ipv4}
        onChange={(ipv4) => set({ ipv4 })}
        choices={choices}
        error={isOwn ? null : errorOf('ipv4_prefix')}
      />
      {isOwn ? (
        <TextField
          label="IPv4 prefix"
          mono
          placeholder="100.64.0.0/22"
          value={values.ipv4_prefix}
          onChange={(ipv4_prefix) => set({ ipv4_prefix })}
          error={errorOf('ipv4_prefix')}
        />
      ) : null}
    </div>
  );
}

function Pods({ values, set, errorOf }: FieldsProps<{ readonly pod_subnet_prefix: string }>) {
  return (
    <TextField
      label="Pod subnet prefix"
      optional
      mono
      placeholder="10.42.0.0/16"
      hint="For the pods of a cluster on the instances: each peer gets a slice. Fixed once a cluster uses it."
      value={values.pod_subnet_prefix}
      onChange={(next) => set({ pod_subnet_prefix: next })}
      error={errorOf('pod_subnet_prefix')}
    />
  );
}

interface SharedValues {
  readonly description: string;
  readonly topology_strategy: Network['topology_strategy'];
  readonly routing_mode: Network['routing_mode'];
  readonly firewall_default_policy: Network['firewall_default_policy'];
  readonly direct_paths: boolean;
  readonly rematch_connections: boolean;
  readonly mtu: string;
}

/** For prefixes behind peers. */
export const routingModeMeaning: Readonly<Record<Network['routing_mode'], string>> = {
  static: 'Each prefix behind peers is routed to the reachable peer with the highest preference.',
  ibgp: 'Peers announce their prefixes by BGP (FRR), and route policies act.',
};

// oxlint-disable-next-line max-lines-per-function -- one field after the other
function Shared({ values, set, errorOf }: FieldsProps<SharedValues>) {
  return (
    <>
      <TextArea
        label="Description"
        optional
        value={values.description}
        onChange={(description) => set({ description })}
        error={errorOf('description')}
      />
      <SelectField
        label="Topology"
        hint={
          values.topology_strategy === 'hub_and_spoke'
            ? 'Spokes reach each other through hubs.'
            : 'Peers connect directly where one of the two is reachable.'
        }
        value={values.topology_strategy}
        onChange={(topology_strategy) => set({ topology_strategy })}
        choices={[
          { value: 'hub_and_spoke', text: 'Hub and spoke' },
          { value: 'full_mesh', text: 'Full mesh' },
        ]}
        error={errorOf('topology_strategy')}
      />
      <SelectField
        label="Routing mode"
        hint={routingModeMeaning[values.routing_mode]}
        value={values.routing_mode}
        onChange={(routing_mode) => set({ routing_mode })}
        choices={[
          { value: 'static', text: 'Static' },
          { value: 'ibgp', text: 'iBGP' },
        ]}
        error={errorOf('routing_mode')}
      />
      <Check
        label="Direct paths"
        hint="Spokes behind NAT connect without a hub where their NATs allow it."
        checked={values.direct_paths}
        onChange={(direct_paths) => set({ direct_paths })}
      />
      <Check
        label="Terminate denied connections"
        hint="When rules change, connections that are no longer allowed are terminated."
        checked={values.rematch_connections}
        onChange={(rematch_connections) => set({ rematch_connections })}
      />
      <div className="form-columns">
        <SelectField
          label="Default policy"
          hint="For incoming traffic that no rule matches."
          value={values.firewall_default_policy}
          onChange={(firewall_default_policy) => set({ firewall_default_policy })}
          choices={[
            { value: 'accept', text: 'Accept' },
            { value: 'drop', text: 'Drop' },
          ]}
          error={errorOf('firewall_default_policy')}
        />
        <TextField
          label="MTU"
          optional
          numeric
          placeholder="1420"
          value={values.mtu}
          onChange={(mtu) => set({ mtu })}
          error={errorOf('mtu')}
        />
      </div>
    </>
  );
}
