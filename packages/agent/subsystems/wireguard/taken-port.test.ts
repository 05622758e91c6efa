// A port that another program has: one sentence, and everything but the port is done.
import { describe, expect, test } from 'vitest';
import { KernelMachine, noListeners } from '../../apply/kernel-machine.ts';
import { freshFolder } from '../../fixtures/folder.ts';
import { FakeClock } from '../../ports/clock.fixture.ts';
import { FakeRun, type Program } from '../../ports/run.fixture.ts';
import { FakeSettings } from '../../ports/settings.fixture.ts';
import type { Step } from '../step.ts';

const peerKey = `${'P'.repeat(43)}=`;
const device: Step = { kind: 'set_device', name: 'wg-a', publicKey: null, listenPort: 51820 };
const peer: Step = {
  kind: 'set_peer',
  interface: 'wg-a',
  peer: {
    publicKey: peerKey,
    endpoint: null,
    allowedIps: ['fd00::2/128'],
    keepalive: 0,
    how: 'new',
    clearPresharedKey: false,
  },
};
const link: Step = { kind: 'set_link', name: 'wg-a', mtu: 1420 };
const address: Step = { kind: 'add_address', interface: 'wg-a', address: 'fd00::1/128', isLeased: false };

function machineWith(programs: Readonly<Record<string, Program>>) {
  const run = new FakeRun(programs);
  const keys = { privateKeyFile: () => '/state/key' };
  const machine = new KernelMachine({
    ...noListeners,
    run,
    keys: keys as never,
    clock: new FakeClock(),
    settings: new FakeSettings({}),
    folder: freshFolder(),
  });
  return { run, machine };
}

describe('a port that is in use [9.38]', () => {
  test('in userspace is refused with the write; the peers are set all the same', async () => {
    const { run, machine } = machineWith({
      wg: ({ args }) =>
        args.includes('51820')
          ? { exitCode: 1, stderr: 'Unable to modify interface: Address already in use\n' }
          : {},
      ss: () => ({
        stdout: 'UNCONN 0 0 0.0.0.0:51820 0.0.0.0:* users:(("dnsmasq",pid=7,fd=4))\n',
      }),
    });
    expect(await machine.execute([device, peer])).toMatchObject([
      {
        code: 'port_in_use',
        interface: 'wg-a',
        detail:
          'UDP port 51820 of wg-a is in use by dnsmasq (pid 7), so no peer can initiate a tunnel to this instance: stop that program, or give the peer another listen_port.',
      },
    ]);
    expect(run.log[1]).toBe(`wg set wg-a peer ${peerKey} allowed-ips fd00::2/128 persistent-keepalive 0`);
  });

  test('in the kernel is refused when the interface is brought up, which then has any free port', async () => {
    let port = '51820';
    const { run, machine } = machineWith({
      ip: () =>
        port === '0'
          ? {}
          : { exitCode: 1, stderr: 'RTNETLINK answers: Address already in use\nCommand failed -:1\n' },
      wg: ({ args }) => {
        if (args[0] === 'show') return { stdout: `(none)\t(none)\t${port}\toff\n` };
        port = args.at(-1) ?? '';
        return {};
      },
    });
    expect(await machine.execute([link, address])).toMatchObject([
      {
        code: 'port_in_use',
        detail: expect.stringContaining('UDP port 51820 of wg-a is in use by another program'),
      },
    ]);
    expect(run.log.filter((line) => line.startsWith('ip '))).toHaveLength(2);
  });
});

test('a line of a batch that fails is named by its own step, and no command stands in the sentence [9.38]', async () => {
  const { machine } = machineWith({
    ip: () => ({ exitCode: 1, stderr: 'RTNETLINK answers: No buffer space available\nCommand failed -:2\n' }),
  });
  const [problem] = await machine.execute([link, address]);
  expect(problem).toMatchObject({
    code: 'addresses_failed',
    detail:
      'Address fd00::1/128 could not be added to interface wg-a: No buffer space available. The system is out of memory.',
    cause: { command: 'ip -force -batch -' },
  });
});

test('a program that is not installed is said to be that [9.38]', async () => {
  const { machine } = machineWith({});
  expect(await machine.execute([peer])).toMatchObject([
    { code: 'program_missing', detail: expect.stringMatching(/^The program wg is not installed/) },
  ]);
});
