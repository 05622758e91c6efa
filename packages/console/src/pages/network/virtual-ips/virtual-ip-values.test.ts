// What the form of a virtual IP sends: a health check goes with a single holder as well as with anycast.
import { virtualIpActions } from '@powernode/core/actions/virtual-ips';
import { expect, it } from 'vitest';
import {
  creationOf,
  newVirtualIpValues,
  noHealthCheck,
  updateOf,
  type VirtualIpValues,
  valuesOf,
} from './virtual-ip-values.ts';

const [first, second] = [
  '01900000-0000-7000-8000-000000000001',
  '01900000-0000-7000-8000-000000000002',
] as const;
const http = { ...noHealthCheck, protocol: 'http', port: '8080', path: '/healthz', fall: '2' } as const;

function filled(part: Partial<VirtualIpValues>) {
  return { ...newVirtualIpValues, name: 'web', primary: first, failover: [second], ...part };
}

it.each([true, false])('a health check is sent with a new address, anycast: %s', (anycast) => {
  const sent = creationOf(filled({ anycast, health_check: http }));
  expect(sent.health_check).toEqual({ protocol: 'http', port: 8080, path: '/healthz', fall: 2 });
  const { health_check: accepted } = virtualIpActions.createVirtualIp.input;
  expect(accepted.parse(sent.health_check)).toMatchObject({ interval_ms: 200, fall: 2, rise: 2 });
  expect(creationOf(filled({ anycast }))).not.toHaveProperty('health_check');
});

it.each([true, false])('a health check is changed and removed, anycast: %s', (anycast) => {
  const health_check = { protocol: 'tcp', port: 53, interval_ms: 500, fall: 4, rise: 1 } as const;
  const shown = valuesOf({
    ...{ name: 'web', anycast, primary_holder_peer_id: first, failover_holder_peer_ids: [second] },
    ...{ preempt: false, hold_down_seconds: 10, health_check },
  });
  expect(updateOf(shown).health_check).toEqual(health_check);
  expect(updateOf({ ...shown, health_check: http }).health_check).toMatchObject({ port: 8080 });
  expect(updateOf({ ...shown, health_check: noHealthCheck }).health_check).toBeNull();
});

it('how it moves is sent with a single holder alone', () => {
  expect(creationOf(filled({ preempt: true, hold_down_seconds: '30' }))).toMatchObject({
    preempt: true,
    hold_down_seconds: 30,
  });
  const anycast = creationOf(filled({ anycast: true, preempt: true, hold_down_seconds: '30' }));
  for (const name of ['preempt', 'hold_down_seconds']) expect(anycast).not.toHaveProperty(name);
});
