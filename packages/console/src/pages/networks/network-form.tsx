// The form of a network: making one, and changing what may change.
import type { Output } from '../../api/client.ts';
import { ChangeForm } from '../../app/change-form.tsx';
import { type FieldsProps, NameField, type ObjectFormProps, useFieldValues } from '../../app/object-form.tsx';
import { Check, SelectField, TextArea, TextField } from '../../parts/form.tsx';
import { numberOrText, withoutBlanks } from '../form-values.ts';

type Network = Output<'getNetwork'>['network'];

type FormProps = ObjectFormProps<Network>;

const ipv4Choices = [
  { value: 'free', text: 'A free block of the account' },
  { value: 'own', text: 'This block' },
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
    topology_strategy: 'hub_and_spoke' as Network['topology_strategy'],
    firewall_default_policy: 'accept' as Network['firewall_default_policy'],
    direct_paths: true,
    mtu: '',
  }));
  const { name, description, prefix, ipv4, ipv4_prefix, mtu, ...choices } = values;

  return (
    <ChangeForm
      action="createNetwork"
      verb="Make network"
      parameters={{
        name,
        ...choices,
        ...withoutBlanks({ description, prefix }),
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
            hint="A /64 of fd00::/8. Without one it gets a free one of the account."
            value={prefix}
            onChange={(next) => set({ prefix: next })}
            error={errorOf('prefix')}
          />
          <Ipv4Leg
            {...{ values, set, errorOf }}
            choices={ipv4Choices}
            hint="For software and doors that speak IPv4 only."
          />
          <Shared {...{ values, set, errorOf }} />
        </>
      )}
    </ChangeForm>
  );
}

export function EditNetwork({ network, onCancel, onDone }: FormProps & { readonly network: Network }) {
  const { values, set } = useFieldValues(() => ({
    name: network.name,
    description: network.description,
    topology_strategy: network.topology_strategy,
    firewall_default_policy: network.firewall_default_policy,
    direct_paths: network.direct_paths,
    mtu: String(network.mtu),
    ipv4: (network.ipv4_prefix === null ? 'none' : 'own') as Ipv4Choice,
    ipv4_prefix: network.ipv4_prefix ?? '',
  }));
  const { ipv4, ipv4_prefix, ...fields } = values;

  return (
    <ChangeForm
      action="updateNetwork"
      verb="Save"
      parameters={{
        network_id: network.id,
        ...fields,
        ipv4_prefix: ipv4 === 'none' ? null : ipv4_prefix,
        mtu: numberOrText(values.mtu),
        if_revision: network.revision,
      }}
      onCancel={onCancel}
      onDone={(answer) => onDone(answer.kind === 'done' ? answer.body.network : null)}
    >
      {(errorOf) => (
        <>
          <NameField {...{ values, set, errorOf }} />
          <Ipv4Leg
            {...{ values, set, errorOf }}
            choices={ipv4Choices.filter(({ value }) => value !== 'free')}
            hint="Another block gives all in the network other IPv4 addresses; devices have to be issued again."
          />
          <Shared {...{ values, set, errorOf }} />
        </>
      )}
    </ChangeForm>
  );
}

interface Ipv4LegProps extends FieldsProps<{ readonly ipv4: Ipv4Choice; readonly ipv4_prefix: string }> {
  readonly choices: readonly (typeof ipv4Choices)[number][];
  readonly hint: string;
}

function Ipv4Leg({ values, set, errorOf, choices, hint }: Ipv4LegProps) {
  const isOwn = values.ipv4 === 'own';
  return (
    <div className="form-columns">
      <SelectField
        label="IPv4 leg"
        hint={hint}
        value={values.ipv4}
        onChange={(ipv4) => set({ ipv4 })}
        choices={choices}
        error={isOwn ? null : errorOf('ipv4_prefix')}
      />
      {isOwn ? (
        <TextField
          label="IPv4 block"
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

interface SharedValues {
  readonly description: string;
  readonly topology_strategy: Network['topology_strategy'];
  readonly firewall_default_policy: Network['firewall_default_policy'];
  readonly direct_paths: boolean;
  readonly mtu: string;
}

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
            : 'Peers meet directly wherever one of the two can be reached.'
        }
        value={values.topology_strategy}
        onChange={(topology_strategy) => set({ topology_strategy })}
        choices={[
          { value: 'hub_and_spoke', text: 'Hub and spoke' },
          { value: 'full_mesh', text: 'Full mesh' },
        ]}
        error={errorOf('topology_strategy')}
      />
      <Check
        label="Direct paths"
        hint="Spokes behind NATs meet without a hub where their NATs allow it."
        checked={values.direct_paths}
        onChange={(direct_paths) => set({ direct_paths })}
      />
      <div className="form-columns">
        <SelectField
          label="Firewall by default"
          hint="What no rule names, on its way in."
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
