// The form of a virtual IP: who holds it, who takes over and in which order.
import type { VirtualIp } from '@powernode/core/intent/virtual-ip';
import { ChangeForm } from '../../../app/change-form.tsx';
import { EditForm } from '../../../app/edit-form.tsx';
import {
  type FieldsProps,
  NameField,
  type ObjectFormProps,
  useFieldValues,
} from '../../../app/object-form.tsx';
import { Check, TextField } from '../../../parts/form.tsx';
import { PickField } from '../../../parts/pick-field.tsx';
import { usePeerNames } from '../names.ts';
import type { ViewProps } from '../view.ts';
import { HealthCheckFields } from './health-check-fields.tsx';
import { HolderOrder } from './holder-order.tsx';
import {
  creationOf,
  newVirtualIpValues,
  updateOf,
  type VirtualIpValues,
  valuesOf,
} from './virtual-ip-values.ts';

type FormProps = ViewProps & ObjectFormProps<VirtualIp>;

export function CreateVirtualIp({ network, onCancel, onDone }: FormProps) {
  const { values, set } = useFieldValues(() => newVirtualIpValues);
  return (
    <ChangeForm
      action="createVirtualIp"
      verb="Create virtual IP"
      parameters={{ network_id: network.id, ...creationOf(values) }}
      onCancel={onCancel}
      onDone={(answer) => onDone(answer.kind === 'done' ? answer.body.virtual_ip : null)}
    >
      {(errorOf) => (
        <>
          <NameField {...{ values, set, errorOf }} />
          <TextField
            label="Address"
            optional
            mono
            placeholder={network.prefix.replace(/\/.*$/, 'f')}
            hint="From the network prefix. Default: a free address. It cannot be changed later."
            value={values.address}
            onChange={(address) => set({ address })}
            error={errorOf('address')}
          />
          <Check
            label="Anycast"
            hint="All holders answer at the same time, and packets go to the nearest."
            checked={values.anycast}
            onChange={(anycast) => set({ anycast })}
          />
          <Settings networkId={network.id} {...{ values, set, errorOf }} />
        </>
      )}
    </ChangeForm>
  );
}

export function EditVirtualIp({ network, ip, onCancel, onDone }: FormProps & { readonly ip: VirtualIp }) {
  const { nameOf } = usePeerNames(network.id);
  return (
    <EditForm
      action="updateVirtualIp"
      object={ip}
      named={{ virtual_ip_id: ip.id }}
      valuesOf={valuesOf}
      parametersOf={updateOf}
      nameOf={nameOf}
      label="Edit the virtual IP"
      panel
      onCancel={onCancel}
      onDone={(answer) => onDone(answer.kind === 'done' ? answer.body.virtual_ip : null)}
    >
      {({ values, set, errorOf }) => (
        <>
          <NameField {...{ values, set, errorOf }} />
          <Settings networkId={network.id} {...{ values, set, errorOf }} />
        </>
      )}
    </EditForm>
  );
}

function Settings({
  networkId,
  values,
  set,
  errorOf,
}: FieldsProps<VirtualIpValues> & { readonly networkId: string }) {
  const { choices, nameOf } = usePeerNames(networkId);
  return (
    <>
      <PickField
        label={values.anycast ? 'First holder' : 'Primary holder'}
        value={values.primary}
        onChange={(primary) => set({ primary, failover: values.failover.filter((id) => id !== primary) })}
        choices={choices}
        error={errorOf('primary_holder_peer_id')}
      />
      <HolderOrder
        label={values.anycast ? 'Other holders' : 'Fail-over holders'}
        chosen={values.failover}
        choices={choices.filter(({ value }) => value !== values.primary)}
        nameOf={nameOf}
        onChange={(failover) => set({ failover })}
        error={errorOf('failover_holder_peer_ids')}
      />
      <HealthCheckFields values={values} set={set} errorOf={errorOf} />
      {values.anycast ? null : (
        <>
          <Check
            label="Preempt"
            hint="Returns to the primary holder once that is healthy again."
            checked={values.preempt}
            onChange={(preempt) => set({ preempt })}
          />
          <TextField
            label="Hold-down"
            optional
            numeric
            placeholder="10"
            hint="Minimum seconds between two automatic moves."
            value={values.hold_down_seconds}
            onChange={(hold_down_seconds) => set({ hold_down_seconds })}
            error={errorOf('hold_down_seconds')}
          />
        </>
      )}
    </>
  );
}
