// The lines for `ip -batch`, as a person would read them.
import { expect, test } from 'vitest';
import { ipCommand } from './batch.ts';

test('links, addresses and routes are one call, in the order of the plan', () => {
  const command = ipCommand([
    { kind: 'remove_route', destination: 'fd00::/64', device: 'wg-a', metric: 512 },
    { kind: 'remove_address', interface: 'wg-a', address: 'fd00::9/128' },
    { kind: 'add_address', interface: 'wg-a', address: 'fd00::100/128', isLeased: false },
    { kind: 'set_link', name: 'wg-a', mtu: 1420 },
    { kind: 'set_route', destination: 'fd00::/64', device: 'wg-a-1', source: 'fd00::100' },
    { kind: 'set_route', destination: 'fd00::7/128', device: 'wg-a', source: null },
  ]);
  expect(command.args).toEqual(['-force', '-batch', '-']);
  expect(command.input).toBe(
    [
      'route delete fd00::/64 dev wg-a proto 212 metric 512',
      'address delete fd00::9/128 dev wg-a',
      'address replace fd00::100/128 dev wg-a nodad',
      'link set dev wg-a mtu 1420 up',
      'route replace fd00::/64 dev wg-a-1 proto 212 metric 512 src fd00::100',
      'route replace fd00::7/128 dev wg-a proto 212 metric 512',
      '',
    ].join('\n'),
  );
});

test('a route that ends the look into its table has no device', () => {
  const destination = '192.168.1.0/24 table 1342177281';
  const { input } = ipCommand([
    { kind: 'set_route', destination, device: 'throw', source: null },
    { kind: 'remove_route', destination, device: 'throw', metric: 512 },
  ]);
  expect(input).toBe(
    [
      `route replace throw ${destination} proto 212 metric 512`,
      `route delete throw ${destination} proto 212 metric 512`,
      '',
    ].join('\n'),
  );
});
