// Switching forwarding on and giving everything back.
import { describe, expect, test } from 'vitest';
import { freshFolder } from '../../fixtures/folder.ts';
import { FakeSettings } from '../../ports/settings.fixture.ts';
import { Forwarding } from './forwarding.ts';

const conf = 'net/ipv6/conf';
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
  });

describe('forwarding', () => {
  test('is switched on without interfaces losing their router advertisements', () => {
    const settings = machine();
    const forwarding = new Forwarding(settings, freshFolder());
    expect([forwarding.isOn(), forwarding.held]).toEqual([false, false]);
    forwarding.start();
    expect([forwarding.isOn(), forwarding.held]).toEqual([true, true]);
    const heard = ['all', 'default', 'lo', 'eth0', 'eth1.7'].map((name) =>
      settings.read(`${conf}/${name}/accept_ra`),
    );
    expect(heard).toEqual(['1', '2', '1', '2', '0']);
  });

  test('is given back exactly as it was, also by the next process', () => {
    const settings = machine();
    const folder = freshFolder();
    const before = new Map(settings.values);
    new Forwarding(settings, folder).start();
    expect(settings.values).not.toEqual(before);
    const next = new Forwarding(settings, folder);
    expect(next.held).toBe(true);
    next.stop();
    expect(settings.values).toEqual(before);
    expect(next.held).toBe(false);
    expect(new Forwarding(settings, folder).held).toBe(false);
  });

  test('switched off by hand and on again remembers the first state', () => {
    const settings = machine();
    const folder = freshFolder();
    const before = new Map(settings.values);
    const forwarding = new Forwarding(settings, folder);
    forwarding.start();
    settings.write(`${conf}/all/forwarding`, '0');
    forwarding.start();
    forwarding.stop();
    expect(settings.values).toEqual(before);
  });

  test('of another boot is not given back: the machine began anew', () => {
    const settings = machine();
    const folder = freshFolder();
    new Forwarding(settings, folder).start();
    settings.values.set('kernel/random/boot_id', 'boot 2');
    expect(new Forwarding(settings, folder).held).toBe(false);
  });

  test('does not mind interfaces that are gone when it is given back', () => {
    const settings = machine();
    const forwarding = new Forwarding(settings, freshFolder());
    forwarding.start();
    for (const key of settings.values.keys()) if (key.includes('eth0')) settings.values.delete(key);
    forwarding.stop();
    expect(forwarding.isOn()).toBe(false);
  });
});
