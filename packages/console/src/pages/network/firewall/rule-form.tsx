// The form of a rule: what is done with which packets, from whom, to whom.
import type { FirewallRule } from '@powernode/core/intent/firewall';
import { ChangeForm } from '../../../app/change-form.tsx';
import { EditForm } from '../../../app/edit-form.tsx';
import { type FieldsProps, type ObjectFormProps, useFieldValues } from '../../../app/object-form.tsx';
import { Check, SelectField, TextField } from '../../../parts/form.tsx';
import { useMemberNames } from '../names.ts';
import type { ViewProps } from '../view.ts';
import { draftOf, everywhere, SelectorFields, selectorOf } from './selector-fields.tsx';

type FormProps = ViewProps & ObjectFormProps<FirewallRule>;

type Values = ReturnType<typeof freshValues>;

function freshValues() {
  return {
    name: '',
    direction: 'ingress' as FirewallRule['direction'],
    action: 'accept' as FirewallRule['action'],
    from: everywhere,
    to: everywhere,
    traffic: { protocol: 'any' as FirewallRule['protocol'], ports: '' },
    enabled: true,
  };
}

function valuesOf(rule: FirewallRule): Values {
  return {
    name: rule.name ?? '',
    direction: rule.direction,
    action: rule.action,
    from: draftOf(rule.selector),
    to: draftOf(rule.destination),
    traffic: { protocol: rule.protocol, ports: rule.port_range ?? '' },
    enabled: rule.enabled,
  };
}

const hasPorts = (protocol: FirewallRule['protocol']) => protocol === 'tcp' || protocol === 'udp';

function parametersOf({ name, from, to, traffic, ...same }: Values) {
  const { kind, value } = from;
  const { protocol, ports } = traffic;
  return {
    ...same,
    name: name.trim() === '' ? null : name,
    // Its choices have no virtual IP for where packets come from.
    selector: selectorOf({ kind: kind as Exclude<typeof kind, 'virtual_ip'>, value }),
    destination: to.kind === 'all' ? null : selectorOf(to),
    protocol,
    port_range: hasPorts(protocol) && ports.trim() !== '' ? ports.trim() : null,
  };
}

export function CreateRule({ network, onCancel, onDone }: FormProps) {
  const fields = useFieldValues(freshValues);
  return (
    <ChangeForm
      action="createFirewallRule"
      verb="Create rule"
      parameters={{ network_id: network.id, ...parametersOf(fields.values) }}
      onCancel={onCancel}
      onDone={(answer) => onDone(answer.kind === 'done' ? answer.body.firewall_rule : null)}
    >
      {(errorOf) => <Fields networkId={network.id} {...fields} errorOf={errorOf} />}
    </ChangeForm>
  );
}

export function EditRule({ network, rule, onCancel, onDone }: FormProps & { readonly rule: FirewallRule }) {
  const nameOf = useMemberNames(network.id);
  return (
    <EditForm
      action="updateFirewallRule"
      object={rule}
      named={{ firewall_rule_id: rule.id }}
      valuesOf={valuesOf}
      parametersOf={parametersOf}
      nameOf={nameOf}
      label="Edit the rule"
      panel
      onCancel={onCancel}
      onDone={(answer) => onDone(answer.kind === 'done' ? answer.body.firewall_rule : null)}
    >
      {(fields) => <Fields networkId={network.id} {...fields} />}
    </EditForm>
  );
}

// oxlint-disable-next-line max-lines-per-function -- one field after the other
function Fields({ networkId, values, set, errorOf }: FieldsProps<Values> & { readonly networkId: string }) {
  return (
    <>
      <TextField
        label="Name"
        optional
        autoFocus
        value={values.name}
        onChange={(name) => set({ name })}
        error={errorOf('name')}
      />
      <div className="form-columns">
        <SelectField
          label="Action"
          value={values.action}
          onChange={(action) => set({ action })}
          choices={[
            { value: 'accept', text: 'Accept' },
            { value: 'drop', text: 'Drop' },
            { value: 'reject', text: 'Reject, notifying the client' },
          ]}
          error={errorOf('action')}
        />
        <SelectField
          label="Direction"
          value={values.direction}
          onChange={(direction) => set({ direction })}
          choices={[
            { value: 'ingress', text: 'Ingress, where packets arrive' },
            { value: 'egress', text: 'Egress, where packets originate' },
            { value: 'both', text: 'Both' },
          ]}
          error={errorOf('direction')}
        />
      </div>
      <SelectorFields
        label="From"
        networkId={networkId}
        draft={values.from}
        onChange={(from) => set({ from })}
        error={errorOf('selector')}
      />
      <SelectorFields
        label="To"
        networkId={networkId}
        draft={values.to}
        onChange={(to) => set({ to })}
        error={errorOf('destination')}
      />
      <div className="form-columns">
        <SelectField
          label="Protocol"
          value={values.traffic.protocol}
          onChange={(protocol) => set({ traffic: { ...values.traffic, protocol } })}
          choices={[
            { value: 'any', text: 'Any' },
            { value: 'tcp', text: 'TCP' },
            { value: 'udp', text: 'UDP' },
            { value: 'icmp6', text: 'ICMP' },
          ]}
          error={errorOf('protocol')}
        />
        {hasPorts(values.traffic.protocol) ? (
          <TextField
            label="Ports"
            optional
            mono
            placeholder="8443 or 8443-8480"
            hint="Default: all ports."
            value={values.traffic.ports}
            onChange={(ports) => set({ traffic: { ...values.traffic, ports } })}
            error={errorOf('port_range')}
          />
        ) : null}
      </div>
      <Check label="Enabled" checked={values.enabled} onChange={(enabled) => set({ enabled })} />
    </>
  );
}
