// The form of a network: making one, and changing what may change.
import { type FormEvent, type ReactNode, useState } from 'react';
import type { ChangeAction, Output } from '../../api/client.ts';
import { type Change, useChange } from '../../app/use-change.ts';
import { Button } from '../../parts/button.tsx';
import { SelectField, TextArea, TextField } from '../../parts/form.tsx';
import { ProblemNote } from '../../parts/states.tsx';
import { numberOrText, withoutBlanks } from '../form-values.ts';

type Network = Output<'getNetwork'>['network'];

interface FormProps {
  readonly onCancel: () => void;
  /** The network as it is now; null: the change waits for approval. */
  readonly onDone: (network: Network | null) => void;
}

export function CreateNetwork({ onCancel, onDone }: FormProps) {
  const change = useChange('createNetwork');
  const [values, setValues] = useState({
    name: '',
    description: '',
    prefix: '',
    topology_strategy: 'hub_and_spoke' as Network['topology_strategy'],
    firewall_default_policy: 'accept' as Network['firewall_default_policy'],
    mtu: '',
  });
  const set = (part: Partial<typeof values>) => setValues({ ...values, ...part });

  async function submit(): Promise<void> {
    const { mtu, name, topology_strategy, firewall_default_policy, ...texts } = values;
    const answer = await change.run({
      name,
      topology_strategy,
      firewall_default_policy,
      ...withoutBlanks(texts),
      ...(mtu.trim() === '' ? {} : { mtu: numberOrText(mtu) }),
    });
    if (answer !== null) onDone(answer.kind === 'done' ? answer.body.network : null);
  }

  return (
    <NetworkForm change={change} verb="Make network" onCancel={onCancel} onSubmit={submit}>
      <TextField
        label="Name"
        autoFocus
        value={values.name}
        onChange={(name) => set({ name })}
        error={change.fieldError('name')}
      />
      <TextField
        label="Prefix"
        optional
        mono
        placeholder="fd00:1:2:3::/64"
        hint="A /64 of fd00::/8. Without one it gets a free one of the account."
        value={values.prefix}
        onChange={(prefix) => set({ prefix })}
        error={change.fieldError('prefix')}
      />
      <Shared values={values} set={set} change={change} />
    </NetworkForm>
  );
}

export function EditNetwork({ network, onCancel, onDone }: FormProps & { readonly network: Network }) {
  const change = useChange('updateNetwork');
  const [values, setValues] = useState({
    name: network.name,
    description: network.description,
    topology_strategy: network.topology_strategy,
    firewall_default_policy: network.firewall_default_policy,
    mtu: String(network.mtu),
  });
  const set = (part: Partial<typeof values>) => setValues({ ...values, ...part });

  async function submit(): Promise<void> {
    const answer = await change.run({
      network_id: network.id,
      ...values,
      mtu: numberOrText(values.mtu),
      if_revision: network.revision,
    });
    if (answer !== null) onDone(answer.kind === 'done' ? answer.body.network : null);
  }

  return (
    <NetworkForm change={change} verb="Save" onCancel={onCancel} onSubmit={submit}>
      <TextField
        label="Name"
        autoFocus
        value={values.name}
        onChange={(name) => set({ name })}
        error={change.fieldError('name')}
      />
      <Shared values={values} set={set} change={change} />
    </NetworkForm>
  );
}

interface SharedValues {
  readonly description: string;
  readonly topology_strategy: Network['topology_strategy'];
  readonly firewall_default_policy: Network['firewall_default_policy'];
  readonly mtu: string;
}

interface SharedProps {
  readonly values: SharedValues;
  readonly set: (part: Partial<SharedValues>) => void;
  readonly change: Pick<Change<ChangeAction>, 'fieldError'>;
}

function Shared({ values, set, change }: SharedProps) {
  return (
    <>
      <TextArea
        label="Description"
        optional
        value={values.description}
        onChange={(description) => set({ description })}
        error={change.fieldError('description')}
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
        error={change.fieldError('topology_strategy')}
      />
      <div className="form-columns">
        <SelectField
          label="Firewall by default"
          value={values.firewall_default_policy}
          onChange={(firewall_default_policy) => set({ firewall_default_policy })}
          choices={[
            { value: 'accept', text: 'Accept' },
            { value: 'drop', text: 'Drop' },
          ]}
          error={change.fieldError('firewall_default_policy')}
        />
        <TextField
          label="MTU"
          optional
          numeric
          placeholder="1420"
          value={values.mtu}
          onChange={(mtu) => set({ mtu })}
          error={change.fieldError('mtu')}
        />
      </div>
    </>
  );
}

interface NetworkFormProps {
  readonly change: Pick<Change<ChangeAction>, 'busy' | 'problem'>;
  readonly verb: string;
  readonly onCancel: () => void;
  readonly onSubmit: () => Promise<void>;
  readonly children: ReactNode;
}

function NetworkForm({ change, verb, onCancel, onSubmit, children }: NetworkFormProps) {
  function submit(event: FormEvent): void {
    event.preventDefault();
    void onSubmit();
  }
  return (
    <form className="form" onSubmit={submit} noValidate>
      {children}
      <ProblemNote problem={change.problem} />
      <div className="form-foot">
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" variant="primary" busy={change.busy}>
          {verb}
        </Button>
      </div>
    </form>
  );
}
