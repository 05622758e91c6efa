// What holders of a virtual IP ask the service at it, as fields of the form.
import * as limits from '@powernode/core/limits/anycast';
import type { FieldsProps } from '../../../app/object-form.tsx';
import { SelectField, TextField } from '../../../parts/form.tsx';
import type { HealthCheckValues } from './virtual-ip-values.ts';

const hints = {
  anycast:
    'Each holder asks the service at the address on its own instance. While it fails, packets go to other holders.',
  single:
    'The holder asks the service at the address on its own instance. When it fails, the address moves to a fail-over holder.',
} as const;

const protocols = [
  { value: 'none', text: 'None' },
  { value: 'tcp', text: 'TCP: a connection is accepted' },
  { value: 'http', text: 'HTTP: status 200 to 399' },
] as const;

export function HealthCheckFields({
  values,
  set,
  errorOf,
}: FieldsProps<{ readonly anycast: boolean; readonly health_check: HealthCheckValues }>) {
  const check = values.health_check;
  const change = (part: Partial<HealthCheckValues>) => set({ health_check: { ...check, ...part } });
  const number = (name: 'port' | 'interval_ms' | 'fall' | 'rise', label: string, placeholder?: number) => (
    <TextField
      label={label}
      numeric
      {...(placeholder === undefined ? {} : { optional: true, placeholder: String(placeholder) })}
      value={check[name]}
      onChange={(text) => change({ [name]: text })}
      error={errorOf(`health_check.${name}`)}
    />
  );
  return (
    <>
      <SelectField
        label="Health check"
        hint={values.anycast ? hints.anycast : hints.single}
        value={check.protocol}
        choices={protocols}
        onChange={(protocol) => change({ protocol })}
        error={errorOf('health_check')}
      />
      {check.protocol === 'none' ? null : (
        <>
          {number('port', 'Port')}
          {check.protocol === 'http' ? (
            <TextField
              label="Path"
              optional
              mono
              placeholder="/"
              value={check.path}
              onChange={(path) => change({ path })}
              error={errorOf('health_check.path')}
            />
          ) : null}
          {number('interval_ms', 'Interval in milliseconds', limits.healthCheckIntervalDefaultMs)}
          {number('fall', 'Failures until it leaves', limits.healthCheckFallDefault)}
          {number('rise', 'Successes until it returns', limits.healthCheckRiseDefault)}
        </>
      )}
    </>
  );
}
