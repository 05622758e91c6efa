// A node of a lab: a set of namespaces (network, process, mount, host name) kept by one sleeping process, the
// first one in there. When it is killed, the kernel ends everything else in the node, as a power cut would.
import { type ChildProcess, spawn } from 'node:child_process';
import { ProductError } from '@powernode/core/errors';
import { labStepMs } from '@powernode/core/limits/lab';
import { type Mark, markEnvironment } from './names.ts';
import { findHolder, type Process, signal, waitFor, waitUntilGone } from './process.ts';
import { type Command, toolPath } from './run.ts';

/**
 * What happens inside before the node is ready. $1: host name, $2: the node's folder.
 * /run is private because control sockets there (wireguard-go's among them) are named after interfaces, which
 * several nodes have alike; the node's folder stays visible even when it lies below /run. /sys is mounted anew
 * because it shows the network namespace that it was mounted in. Neighbours are told when a wire comes up, or
 * some would go on for seconds to take a host that boots for a dead one. The first process ignores SIGCHLD, so that
 * the kernel buries the orphans it inherits.
 */
const bootScript = `
set -e
hostname "\${1#_}"
mount -t sysfs sysfs /sys
exec 9<"$2"
mount -t tmpfs -o mode=755,size=64m powernode-lab /run
case "$2" in /run/*) mkdir -p "$2"; mount --bind --no-canonicalize /proc/self/fd/9 "$2" ;; esac
exec 9<&-
mkdir -p /run/wireguard
if [ -e "$2/etc-hosts" ]; then mount --bind "$2/etc-hosts" /etc/hosts; fi
for scope in all default; do
  echo 0 > /proc/sys/net/ipv6/conf/$scope/accept_dad
  echo 0 > /proc/sys/net/ipv6/conf/$scope/accept_ra
  echo 1 > /proc/sys/net/ipv6/conf/$scope/ndisc_notify
  echo 1 > /proc/sys/net/ipv4/conf/$scope/arp_notify
done
ip link set lo up
echo ready
exec env --ignore-signal=CHLD sleep infinity > /dev/null 2>&1
`;

/** Boots an empty node; its wires are attached by the fabric. */
export async function startHolder(mark: Mark, folder: string): Promise<Process> {
  const namespaces = [
    '--net',
    '--pid',
    '--mount',
    '--uts',
    '--ipc',
    '--fork',
    '--kill-child',
    '--mount-proc',
  ];
  const child = spawn(
    'unshare',
    [...namespaces, '--propagation', 'slave', 'sh', '-c', bootScript, 'sh', mark.node, folder],
    {
      detached: true,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: toolPath, ...markEnvironment(mark) },
    },
  );
  await readiness(child, mark);
  child.unref();
  return waitFor({ what: `the first process of ${mark.node}`, limitMs: labStepMs, pollMs: 2 }, () =>
    findHolder(mark),
  );
}

/** Resolves when the boot script says so, and rejects with what it complained of. */
function readiness(child: ChildProcess, mark: Mark): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string) =>
      reject(new ProductError('command_failed', `node ${mark.node} did not boot: ${why}`));
    const done = () => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    };
    child.stdout?.on('data', (chunk: Buffer) => {
      if (!chunk.toString().includes('ready')) return;
      done();
      resolve();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.on('error', (error) => fail(error.message));
    child.on('exit', (code) => fail(said.trim() || `exit code ${code}`));
  });
}

/** The power cut: returns when nothing of the node runs any more. */
export async function killHolder(mark: Mark): Promise<boolean> {
  const holder = findHolder(mark);
  if (holder === null) return false;
  signal(holder.pid, 'SIGKILL');
  await waitUntilGone([holder.pid], labStepMs);
  return true;
}

/**
 * A command inside the node. nsenter stays outside as its parent: only a child can be in another process
 * namespace. Entering a mount namespace alone leaves a changed root (chroot), where the checkout may be. The working
 * directory is kept where it exists.
 */
export function inside(holder: Process, command: Command): Command {
  const cd = 'cd "$1" 2>/dev/null || cd /; shift; exec "$@"';
  const namespaces = ['--net', '--pid', '--mount', '--uts', '--ipc'];
  const enter = ['--target', String(holder.pid), ...namespaces, '--root', '--'];
  const start = ['sh', '-c', cd, 'sh', process.cwd(), command.program, ...command.args];
  return { ...command, program: 'nsenter', args: [...enter, ...start] };
}

/** The node's first process, or an error that says how to boot it. */
export function requireHolder(mark: Mark): Process {
  const holder = findHolder(mark);
  if (holder !== null) return holder;
  throw new ProductError(
    'conflict',
    `"${mark.node}" of lab ${mark.lab} is powered off; boot it with: powernode lab start ${mark.node}`,
  );
}
