// Which prefixes a network routes to behind its peers, and what such a route would take from a machine.
import { describe, expect, test } from 'vitest';
import { type Prefix, parsePrefix } from './prefix.ts';
import { subnetRefusal } from './special-addresses.ts';
import { type MachineUnderlay, takenBySubnet, type UnderlayFact } from './underlay.ts';

function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(text);
  return prefix;
}

describe('a prefix behind a peer', () => {
  test.each([
    '192.168.7.0/24',
    '10.0.0.0/8',
    '100.64.0.0/10',
    '203.0.113.0/24',
    '8.8.8.8/32',
    'fd00:7::/64',
    '2001:db8::/32',
    '2600::/12',
  ])('can be %s', (text) => {
    expect(subnetRefusal(prefixOf(text))).toBeNull();
  });

  test.each([
    ['0.0.0.0/0', 'a default route'],
    ['::/0', 'a default route'],
    ['127.0.0.0/8', 'a loopback address'],
    ['127.1.2.0/24', 'a loopback address'],
    ['169.254.0.0/16', 'a link-local address'],
    ['fe80::/64', 'a link-local address'],
    ['224.0.0.0/4', 'a multicast address'],
    ['ff00::/8', 'a multicast address'],
    ['240.0.0.0/4', 'reserved'],
    ['64:ff9b::/96', 'NAT64'],
    ['4000::/2', 'reserved'],
    ['128.0.0.0/1', 'too wide: it covers'],
    ['168.0.0.0/5', 'too wide: it covers 169.254.0.0/16'],
    ['2000::/3', 'too wide: it covers'],
    ['fc00::/6', 'reserved'],
  ])('cannot be %s: %s', (text, why) => {
    expect(subnetRefusal(prefixOf(text))).toContain(why);
  });
});

describe('what a route to a prefix takes from a machine', () => {
  const machine = (facts: readonly UnderlayFact[], more: Partial<MachineUnderlay> = {}): MachineUnderlay => ({
    addresses: [],
    observedAddress: null,
    facts,
    endpoints: [],
    ...more,
  });
  const fact = (kind: UnderlayFact['kind'], at: string): UnderlayFact => ({ kind, at, interface: 'eth0' });
  const taken = (text: string, of: MachineUnderlay) => takenBySubnet(prefixOf(text), of)?.at ?? null;

  test('is what it reaches by its default route', () => {
    const router = machine([fact('network', '10.1.0.0/24'), fact('resolver', '10.9.0.53/32')]);
    expect(taken('10.9.0.0/16', router)).toBe('10.9.0.53');
    expect(taken('10.8.0.0/16', router)).toBeNull();
    expect(taken('198.51.100.0/24', machine([], { endpoints: ['198.51.100.7:51820'] }))).toBe(
      '198.51.100.7:51820',
    );
    expect(taken('203.0.113.0/24', machine([fact('platform', '203.0.113.1/32')]))).toBe('203.0.113.1');
  });

  test('is nothing of a network that it is connected to, nor what it meets there', () => {
    const connected = machine(
      [fact('network', '10.1.0.0/24'), fact('gateway', '10.1.0.1/32'), fact('resolver', '10.1.0.53/32')],
      { addresses: ['10.1.0.7'], endpoints: ['10.1.0.9:51820'] },
    );
    expect(taken('10.1.0.0/24', connected)).toBeNull();
    expect(taken('10.0.0.0/8', connected)).toBeNull();
  });

  test('is no address of its own, which is local whatever is routed', () => {
    expect(
      taken('10.1.0.0/24', machine([], { addresses: ['10.1.0.7'], observedAddress: '10.1.0.7' })),
    ).toBeNull();
  });
});
