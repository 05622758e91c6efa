// Making interfaces on kernels with WireGuard and without, as it would stand in a shell.
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../ports/clock.fixture.ts';
import { FakeRun, type Program } from '../../ports/run.fixture.ts';
import { FakeSettings } from '../../ports/settings.fixture.ts';
import { InterfaceMaker } from './interfaces.ts';

function makerWith(programs: Readonly<Record<string, Program>>) {
  const run = new FakeRun(programs);
  const settings = new FakeSettings({
    'net/ipv6/conf/wg-a/accept_ra': '1',
    'net/ipv6/conf/wg-a/accept_redirects': '1',
    'net/ipv6/conf/wg-a/autoconf': '1',
    'net/ipv4/conf/wg-a/rp_filter': '1',
    'net/ipv4/conf/wg-a/accept_local': '0',
  });
  const ended: string[] = [];
  const maker = new InterfaceMaker({
    run,
    settings,
    clock: new FakeClock(),
    ended: (name, why) => ended.push(`${name} ${why}`),
  });
  return { maker, run, settings, ended };
}

describe('a kernel with WireGuard', () => {
  test('makes the interface and marks it in one call', async () => {
    const { maker, run } = makerWith({ ip: () => ({}) });
    await maker.create('wg-a');
    expect(run.log).toEqual([
      'ip -batch - <<\nlink add dev wg-a type wireguard\nlink set dev wg-a alias powernode-agent:new\n',
    ]);
    expect(maker.flavour).toBe('kernel');
  });

  test('that refuses for lack of rights is not taken for one without', async () => {
    const { maker } = makerWith({
      ip: () => ({ exitCode: 1, stderr: 'RTNETLINK answers: Operation not permitted\n' }),
    });
    await expect(maker.create('wg-a')).rejects.toMatchObject({ code: 'machine_unsupported' });
    expect(maker.flavour).toBeNull();
  });

  test('that refuses for another reason says which', async () => {
    const { maker } = makerWith({ ip: () => ({ exitCode: 1, stderr: 'RTNETLINK answers: File exists\n' }) });
    await expect(maker.create('wg-a')).rejects.toMatchObject({
      code: 'command_failed',
      detail: 'ip: File exists',
    });
  });
});

describe('a kernel without WireGuard', () => {
  const noWireguard: Program = () => ({
    exitCode: 1,
    stderr: 'Error: Unknown device type.\nCommand failed -:1\n',
  });

  test('is asked once, and then wireguard-go is started; if that is missing, its package is named', async () => {
    const { maker, run } = makerWith({ ip: noWireguard, nice: () => ({ exitCode: 127 }) });
    for (let i = 0; i < 2; i++) {
      await expect(maker.create('wg-a')).rejects.toMatchObject({
        code: 'machine_unsupported',
        detail: expect.stringContaining('apt-get install wireguard-go'),
      });
    }
    expect(run.log.map((line) => line.split('\n', 1)[0])).toEqual([
      'ip -batch - <<',
      'nice -n -10 wireguard-go -f wg-a &',
      'nice -n -10 wireguard-go -f wg-a &',
    ]);
  });

  test('whose wireguard-go ends at once says so', async () => {
    const { maker, ended } = makerWith({ ip: noWireguard, nice: () => ({ exitCode: 1 }) });
    await expect(maker.create('wg-a')).rejects.toThrow('wireguard-go wg-a ended at once: exit code 1');
    expect(ended).toEqual(['wg-a exit code 1']);
  });
});

test('preparing closes the interface to autoconfiguration before it says that it is prepared', async () => {
  const { maker, run, settings } = makerWith({ ip: () => ({}) });
  await maker.prepare('wg-a');
  expect([...settings.values.values()]).toEqual(['0', '0', '0', '0', '1']);
  expect(run.log).toEqual([
    'ip -batch - <<\nlink set dev wg-a group 212 addrgenmode none alias powernode-agent\n',
  ]);
});

test('removing an interface that is gone already is no failure', async () => {
  const { maker } = makerWith({ ip: () => ({ exitCode: 1, stderr: 'Cannot find device "wg-a"\n' }) });
  await expect(maker.remove('wg-a')).resolves.toBeUndefined();
});
