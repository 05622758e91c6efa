// What each holder of an anycast address asks the service at it, as fields of the form.
import type { VirtualIp } from '@powernode/core/intent/virtual-ip';
import * as limits from '@powernode/core/limits/anycast';
import type { FieldsProps } from '../../../app/object-form.tsx';
import { SelectField, TextField } from '../../../parts/form.tsx';
import { numberOrText, withoutBlanks } from '../../form-values.ts';

/** Fields that only make sense together. */
export interface HealthCheckValues {
  readonly protocol: 'none' | 'tcp' | 'http';
  readonly port: string;
  readonly path: string;
  readonly interval_ms: string;
  readonly fall: string;
  readonly rise: string;
}

export const noHealthCheck: HealthCheckValues = {
  protocol: 'none',
  port: '',
  path: '',
  interval_ms: '',
  fall: '',
  rise: '',
};

export function healthCheckValuesOf({ health_check: check }: Pick<VirtualIp, 'health_check'>) {
  if (check === null) return noHealthCheck;
  return {
    protocol: check.protocol,
    port: String(check.port),
    path: check.path ?? '',
    interval_ms: String(check.interval_ms),
    fall: String(check.fall),
    rise: String(check.rise),
  };
}

/** null: no check. Of fields that are left empty the platform has its defaults. */
export function healthCheckOf({ protocol, port, path, interval_ms, fall, rise }: HealthCheckValues) {
  if (protocol === 'none') return null;
  const numbers = withoutBlanks({ interval_ms, fall, rise });
  return {
    protocol,
    port: numberOrText(port),
    ...(protocol === 'http' ? withoutBlanks({ path }) : {}),
    ...(Object.fromEntries(
      Object.entries(numbers).map(([name, text]) => [name, numberOrText(text ?? '')]),
    ) as { interval_ms: number; fall: number; rise: number }),
  };
}

const protocols = [
  { value: 'none', text: 'None' },
  { value: 'tcp', text: 'TCP: a connection is accepted' },
  { value: 'http', text: 'HTTP: status 200 to 399' },
] as const;

export function HealthCheckFields({
  values,
  set,
  errorOf,
}: FieldsProps<{ readonly health_check: HealthCheckValues }>) {
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
        hint="Each holder asks the service at the address on its own instance. While it fails, packets go to other holders."
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
