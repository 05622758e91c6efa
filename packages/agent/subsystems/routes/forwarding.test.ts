// Switching forwarding on, each family by itself, and giving everything back.
import { describe, expect, test } from 'vitest';
import { freshFolder } from '../../fixtures/folder.ts';
import { FakeSettings } from '../../ports/settings.fixture.ts';
import { Forwarding } from './forwarding.ts';

const conf = 'net/ipv6/conf';
const conf4 = 'net/ipv4/conf';
const machine = () =>
  new FakeSettings({
    'kernel/random/boot_id': 'boot 1',
    [`${conf}/all/forwarding`]: '0',
    [`${conf}/all/accept_ra`]: '1',
    [`${conf}/default/forwarding`]: '0',
    [`${conf}/default/accept_ra`]: '1',
    [`${conf}/lo/forwarding`]: '0',
    [`${conf}/lo/accept_ra`]: '1',
    [`${conf}/eth0/forwarding`]: '0',
    [`${conf}/eth0/accept_ra`]: '1',
    [`${conf}/eth1.7/forwarding`]: '1',
    [`${conf}/eth1.7/accept_ra`]: '0',
    [`${conf}/wg-test/forwarding`]: '0',
    [`${conf}/wg-test/accept_ra`]: '0',
    'net/ipv4/ip_forward': '0',
    [`${conf4}/all/forwarding`]: '0',
    [`${conf4}/all/accept_redirects`]: '1',
    [`${conf4}/default/forwarding`]: '0',
    [`${conf4}/eth0/forwarding`]: '0',
    [`${conf4}/eth1.7/forwarding`]: '1',
    [`${conf4}/wg-test/forwarding`]: '0',
  });

const off = { ipv6: false, ipv4: false };

describe('forwarding', () => {
  test('is switched on without interfaces losing their router advertisements', () => {
    const settings = machine();
    const forwarding = new Forwarding(settings, freshFolder());
    expect([forwarding.isOn(), forwarding.held]).toEqual([off, off]);
    forwarding.start('ipv6');
    const six = { ipv6: true, ipv4: false };
    expect([forwarding.isOn(), forwarding.held]).toEqual([six, six]);
    const heard = ['all', 'default', 'lo', 'eth0', 'eth1.7'].map((name) =>
      settings.read(`${conf}/${name}/accept_ra`),
    );
    expect(heard).toEqual(['1', '2', '1', '2', '0']);
  });

  test('of one family leaves the other alone', () => {
    const settings = machine();
    const folder = freshFolder();
    const before = new Map(settings.values);
    const forwarding = new Forwarding(settings, folder);
    forwarding.start('ipv4');
    const four = { ipv6: false, ipv4: true };
    expect([forwarding.isOn(), forwarding.held]).toEqual([four, four]);
    forwarding.start('ipv6');
    forwarding.stop('ipv4');
    const next = new Forwarding(settings, folder);
    expect([next.isOn(), next.held]).toEqual([
      { ipv6: true, ipv4: false },
      { ipv6: true, ipv4: false },
    ]);
    next.stop('ipv6');
    expect(settings.values).toEqual(before);
  });

  test.each(['ipv6', 'ipv4'] as const)(
    'of %s is given back exactly as it was, also by the next process',
    (family) => {
      const settings = machine();
      const folder = freshFolder();
      const before = new Map(settings.values);
      new Forwarding(settings, folder).start(family);
      expect(settings.values).not.toEqual(before);
      const next = new Forwarding(settings, folder);
      expect(next.held[family]).toBe(true);
      next.stop(family);
      expect(settings.values).toEqual(before);
      expect(next.held).toEqual(off);
      expect(new Forwarding(settings, folder).held).toEqual(off);
    },
  );

  test('switched off by hand and on again remembers the first state', () => {
    const settings = machine();
    const folder = freshFolder();
    const before = new Map(settings.values);
    const forwarding = new Forwarding(settings, folder);
    forwarding.start('ipv6');
    settings.write(`${conf}/all/forwarding`, '0');
    forwarding.start('ipv6');
    forwarding.stop('ipv6');
    expect(settings.values).toEqual(before);
  });

  test('of another boot is not given back: the machine began anew', () => {
    const settings = machine();
    const folder = freshFolder();
    new Forwarding(settings, folder).start('ipv6');
    settings.values.set('kernel/random/boot_id', 'boot 2');
    expect(new Forwarding(settings, folder).held).toEqual(off);
  });

  test('does not mind interfaces that are gone when it is given back', () => {
    const settings = machine();
    const forwarding = new Forwarding(settings, freshFolder());
    forwarding.start('ipv6');
    for (const key of settings.values.keys()) if (key.includes('eth0')) settings.values.delete(key);
    forwarding.stop('ipv6');
    expect(forwarding.isOn()).toEqual(off);
  });
});
