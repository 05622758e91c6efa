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
import { numberOrText, withoutBlanks } from '../../form-values.ts';
import { usePeerNames } from '../names.ts';
import type { ViewProps } from '../view.ts';
import {
  HealthCheckFields,
  type HealthCheckValues,
  healthCheckOf,
  healthCheckValuesOf,
  noHealthCheck,
} from './health-check-fields.tsx';
import { HolderOrder } from './holder-order.tsx';

type FormProps = ViewProps & ObjectFormProps<VirtualIp>;

export function CreateVirtualIp({ network, onCancel, onDone }: FormProps) {
  const { values, set } = useFieldValues(() => ({
    name: '',
    address: '',
    anycast: false,
    primary: '',
    failover: [] as readonly string[],
    preempt: false,
    hold_down_seconds: '',
    health_check: noHealthCheck,
  }));
  const healthCheck = values.anycast ? healthCheckOf(values.health_check) : null;
  return (
    <ChangeForm
      action="createVirtualIp"
      verb="Create virtual IP"
      parameters={{
        network_id: network.id,
        name: values.name,
        anycast: values.anycast,
        ...settingsOf(values),
        ...(healthCheck === null ? {} : { health_check: healthCheck }),
        ...withoutBlanks({ address: values.address }),
      }}
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

function valuesOf(ip: VirtualIp): { readonly name: string } & SettingValues {
  return {
    name: ip.name,
    anycast: ip.anycast,
    primary: ip.primary_holder_peer_id,
    failover: ip.failover_holder_peer_ids,
    preempt: ip.preempt,
    hold_down_seconds: String(ip.hold_down_seconds),
    health_check: healthCheckValuesOf(ip),
  };
}

export function EditVirtualIp({ network, ip, onCancel, onDone }: FormProps & { readonly ip: VirtualIp }) {
  const { nameOf } = usePeerNames(network.id);
  return (
    <EditForm
      action="updateVirtualIp"
      object={ip}
      named={{ virtual_ip_id: ip.id }}
      valuesOf={valuesOf}
      parametersOf={(values) => ({
        name: values.name,
        ...settingsOf(values),
        ...(values.anycast ? { health_check: healthCheckOf(values.health_check) } : {}),
      })}
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

interface SettingValues {
  readonly anycast: boolean;
  readonly primary: string;
  readonly failover: readonly string[];
  readonly preempt: boolean;
  readonly hold_down_seconds: string;
  readonly health_check: HealthCheckValues;
}

function settingsOf({ primary, failover, preempt, hold_down_seconds, anycast }: SettingValues) {
  return {
    primary_holder_peer_id: primary,
    failover_holder_peer_ids: [...failover],
    // An address that everybody holds does not move.
    ...(anycast ? {} : { preempt }),
    ...(anycast || hold_down_seconds.trim() === ''
      ? {}
      : { hold_down_seconds: numberOrText(hold_down_seconds) }),
  };
}

function Settings({
  networkId,
  values,
  set,
  errorOf,
}: FieldsProps<SettingValues> & { readonly networkId: string }) {
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
      {values.anycast ? (
        <HealthCheckFields values={values} set={set} errorOf={errorOf} />
      ) : (
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
