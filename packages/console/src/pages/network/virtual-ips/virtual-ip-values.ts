// From the fields of a virtual IP's form to parameters, and back. No elements here.
import type { VirtualIp } from '@powernode/core/intent/virtual-ip';
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

/** What stands in the fields of one that exists. */
export interface VirtualIpValues {
  readonly name: string;
  readonly anycast: boolean;
  readonly primary: string;
  readonly failover: readonly string[];
  readonly preempt: boolean;
  readonly hold_down_seconds: string;
  readonly health_check: HealthCheckValues;
}

/** The address is chosen once. */
export interface NewVirtualIpValues extends VirtualIpValues {
  readonly address: string;
}

export const newVirtualIpValues: NewVirtualIpValues = {
  name: '',
  address: '',
  anycast: false,
  primary: '',
  failover: [],
  preempt: false,
  hold_down_seconds: '',
  health_check: noHealthCheck,
};

type Shown = Pick<
  VirtualIp,
  | 'name'
  | 'anycast'
  | 'primary_holder_peer_id'
  | 'failover_holder_peer_ids'
  | 'preempt'
  | 'hold_down_seconds'
  | 'health_check'
>;

export function valuesOf(ip: Shown): VirtualIpValues {
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

/** What `createVirtualIp` is sent, without the network. */
export function creationOf(values: NewVirtualIpValues) {
  const healthCheck = healthCheckOf(values.health_check);
  return {
    name: values.name,
    anycast: values.anycast,
    ...settingsOf(values),
    ...(healthCheck === null ? {} : { health_check: healthCheck }),
    ...withoutBlanks({ address: values.address }),
  };
}

/** What `updateVirtualIp` is sent, of which an edit sends what was touched. */
export function updateOf(values: VirtualIpValues) {
  return { name: values.name, ...settingsOf(values), health_check: healthCheckOf(values.health_check) };
}

function settingsOf({ primary, failover, preempt, hold_down_seconds, anycast }: VirtualIpValues) {
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

function healthCheckValuesOf({ health_check: check }: Pick<VirtualIp, 'health_check'>): HealthCheckValues {
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
function healthCheckOf({ protocol, port, path, interval_ms, fall, rise }: HealthCheckValues) {
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
