// Where a machine is, by its stream and by its own reports.
import { describe, expect, test } from 'vitest';
import { factsOf } from './arrivals.ts';

const facts = (addresses: string[], remote: string) =>
  factsOf({ agent_version: 'x', addresses, underlay: [] }, remote);

describe('a machine', () => {
  test('is publicly reachable when its observed address is its own and routable', () => {
    expect(facts(['203.0.113.7', '10.0.0.1'], '203.0.113.7').publiclyReachable).toBe(true);
    expect(facts(['2001:db8::7'], '2001:DB8:0:0::7')).toMatchObject({
      observedAddress: '2001:db8::7',
      publiclyReachable: true,
    });
  });

  test('is not when something translates, or the address is not for everyone', () => {
    expect(facts(['192.168.1.5'], '203.0.113.7').publiclyReachable).toBe(false);
    expect(facts(['10.0.0.1'], '10.0.0.1').publiclyReachable).toBe(false);
    expect(facts(['127.0.0.1'], '127.0.0.1').publiclyReachable).toBe(false);
    expect(facts([], '').publiclyReachable).toBe(false);
  });

  test('has none that is no other machine, whatever it says [9.8]', () => {
    const nobody = [
      '127.0.0.1',
      '::1',
      '0.0.0.0',
      '224.0.0.1',
      '255.255.255.255',
      'fe80::1',
      '::ffff:1.2.3.4',
    ];
    expect(facts([...nobody, '10.0.0.1'], '203.0.113.7').addresses).toEqual(['10.0.0.1']);
  });

  test('has its addresses in canonical form, each once, and no nonsense among them', () => {
    const { addresses } = facts(['2001:DB8::1', '2001:db8:0::1', 'nonsense', '010.0.0.1', '10.0.0.1'], '');
    expect(addresses).toEqual(['2001:db8::1', '10.0.0.1']);
  });
});
