// The line of a join token on a machine that boots: Debian 12 with systemd in an emulator (QEMU without KVM), its own
// kernel with WireGuard in it. It installs, the service runs, the machine is switched off and on, and the service is back;
// it is upgraded, and then it leaves. Five minutes and more; on demand, like the rest of this folder.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PlatformProgram, startPlatformProgram } from '../../stage/platform-program.ts';
import { debianRoot, type PackageProxy, startProxy } from './bare-machine.ts';

const checkout = path.join(import.meta.dirname, '..', '..', '..');
const emulator = '/usr/bin/qemu-system-x86_64';
const included = [
  'systemd',
  'systemd-sysv',
  'udev',
  'linux-image-cloud-amd64',
  'iproute2',
  'curl',
  'kmod',
  'dbus',
];

/**
 * What the machine does each time that it starts; it finds out by itself which time it is. Results go to a serial line of
 * their own: kernel and systemd write to the console whenever they like, also into the middle of a line.
 */
const script = (line: string) => `#!/bin/sh
exec >/dev/ttyS0 2>&1 3>/dev/ttyS1
ip link set lo up
ip link set eth0 up
ip address add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2
connected() { powernode agent status --json 2>/dev/null | grep -q '"connected": true'; }
await() { tries=0; until "$@"; do tries=$((tries + 1)); [ $tries -lt 120 ] || return 1; sleep 1; done; }
step() { if "$@"; then echo "ok: $*" >&3; else echo "failed: $*" >&3; fi; }
install() { ${line}; }
# Since this runs after multi-user.target, systemd has decided about the service in this boot.
is() { test "$(systemctl show --property "$1" --value powernode-agent)" = "$2"; }
if [ ! -e /root/installed ]; then
  step install
  step systemctl is-enabled powernode-agent
  step systemctl is-active powernode-agent
  step await connected
  step test ! -x /usr/bin/wireguard-go
  touch /root/installed
elif [ ! -e /root/left ]; then
  step await systemctl is-active powernode-agent
  step await connected
  # Another program of the same behaviour: a byte behind the end of an ELF file changes nothing but its digest.
  cp /usr/bin/powernode /usr/bin/draft && printf x >>/usr/bin/draft && mv /usr/bin/draft /usr/bin/powernode
  before=$(systemctl show --property MainPID --value powernode-agent)
  step powernode agent upgrade
  step systemctl is-active powernode-agent
  step test "$(systemctl show --property MainPID --value powernode-agent)" != "$before"
  step await connected
  step powernode agent leave
  step test ! -e /var/lib/powernode/identity.json
  touch /root/left
else
  step is UnitFileState enabled
  step test "$(systemctl show --property ConditionTimestampMonotonic --value powernode-agent)" -gt 0
  step is ConditionResult no
  step is ActiveState inactive
  step is Result success
fi
sync
echo end >&3
systemctl poweroff --force --force
`;

describe.skipIf(!existsSync(emulator))('on a machine with systemd', () => {
  let folder: string;
  let disk: string;
  let platform: PlatformProgram | null = null;
  let proxy: PackageProxy | null = null;
  let machine: ChildProcess | null = null;
  let root: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'powernode-vm-'));
    disk = path.join(folder, 'disk.img');
    execFileSync(path.join(checkout, 'powernode'), ['agent', 'build'], { stdio: 'ignore' });
    platform = await startPlatformProgram(['--node-host', '127.0.0.1', '--node-url', 'https://10.0.2.2:0']);
    proxy = await startProxy('127.0.0.1');
    const { join_token: made } = await platform.action<{ join_token: { command: string } }>(
      'system_create_join_token',
      {},
    );
    root = path.join(folder, 'root');
    execFileSync('cp', ['--archive', `${debianRoot('bookworm', included)}/.`, root]);
    writeFileSync(path.join(root, 'root/test.sh'), script(made.command), { mode: 0o755 });
    writeFileSync(
      path.join(root, 'etc/apt/apt.conf.d/proxy'),
      `Acquire::http::Proxy "http://10.0.2.2:${proxy.port}";\n`,
    );
    const unit = path.join(root, 'etc/systemd/system/try.service');
    writeFileSync(
      unit,
      '[Unit]\nAfter=multi-user.target\n[Service]\nType=oneshot\nExecStart=/root/test.sh\nTimeoutStartSec=infinity\n[Install]\nWantedBy=multi-user.target\n',
    );
    symlinkSync(
      '/etc/systemd/system/try.service',
      path.join(root, 'etc/systemd/system/multi-user.target.wants/try.service'),
    );
    // A login there would hang up the line that the script writes to.
    symlinkSync('/dev/null', path.join(root, 'etc/systemd/system/serial-getty@ttyS0.service'));
    writeFileSync(path.join(root, 'etc/fstab'), '/dev/vda / ext4 rw 0 1\n');
    execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', root, disk, '3G']);
  });
  afterAll(async () => {
    machine?.kill('SIGKILL');
    proxy?.end();
    await platform?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Switches it on, and answers with what it said when it has switched itself off. */
  async function boot(): Promise<string[]> {
    const results = path.join(folder, 'results');
    rmSync(results, { force: true });
    const kernel = readdirSync(path.join(root, 'boot')).find((name) => name.startsWith('vmlinuz')) ?? '';
    const initrd = readdirSync(path.join(root, 'boot')).find((name) => name.startsWith('initrd')) ?? '';
    const started = spawn(emulator, [
      ...['-accel', 'tcg', '-M', 'pc', '-cpu', 'max', '-m', '1024', '-smp', '2', '-no-reboot', '-nodefaults'],
      ...['-nographic', '-serial', 'stdio', '-serial', `file:${results}`],
      ...['-kernel', path.join(root, 'boot', kernel)],
      ...['-initrd', path.join(root, 'boot', initrd)],
      ...['-append', 'console=ttyS0 root=/dev/vda rw net.ifnames=0 quiet panic=-1'],
      ...['-netdev', 'user,id=n0', '-device', 'virtio-net-pci,netdev=n0,romfile='],
      ...['-drive', `file=${disk},if=none,id=d0,format=raw`, '-device', 'virtio-blk-pci,drive=d0'],
    ]);
    machine = started;
    let console = '';
    for (const stream of [started.stdout, started.stderr])
      stream.on('data', (text: Buffer) => {
        console += String(text);
      });
    await once(started, 'close');
    machine = null;
    const steps = readFileSync(results, 'utf8')
      .split(/[\r\n]+/)
      .filter((line) => line !== '');
    const ended = steps.at(-1) === 'end' && !steps.some((step) => step.startsWith('failed'));
    return ended ? steps : [...steps, `on the console: ${console.slice(-6000)}`];
  }

  it('the service runs, comes back after a reboot and an upgrade, and is quiet after leaving [9.18]', async () => {
    expect(await boot()).toEqual([
      'ok: install',
      'ok: systemctl is-enabled powernode-agent',
      'ok: systemctl is-active powernode-agent',
      'ok: await connected',
      // Debian's kernel has WireGuard, so nothing was brought for it.
      'ok: test ! -x /usr/bin/wireguard-go',
      'end',
    ]);
    expect(await boot()).toEqual([
      'ok: await systemctl is-active powernode-agent',
      'ok: await connected',
      'ok: powernode agent upgrade',
      'ok: systemctl is-active powernode-agent',
      expect.stringMatching(/^ok: test [1-9]\d* != [1-9]\d*$/),
      'ok: await connected',
      'ok: powernode agent leave',
      'ok: test ! -e /var/lib/powernode/identity.json',
      'end',
    ]);
    expect(await boot()).toEqual([
      'ok: is UnitFileState enabled',
      expect.stringMatching(/^ok: test [1-9]\d* -gt 0$/),
      'ok: is ConditionResult no',
      'ok: is ActiveState inactive',
      'ok: is Result success',
      'end',
    ]);
  }, 1_800_000);
});
