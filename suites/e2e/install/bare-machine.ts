// A machine on which nothing of the product is: a Debian that debootstrap has just made, in namespaces of its own. From
// its network only named ports of this machine's loopback can be reached, by relays; packages come through a small proxy.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { connect, createServer as createSocketServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const checkout = path.join(import.meta.dirname, '..', '..', '..');
/** Made once: a debootstrap is a minute of downloads. */
const roots = process.env['POWERNODE_DEBIAN_ROOTS'] ?? path.join(checkout, '.powernode', 'debian');

const proxyPort = 3128;

export type Release = 'bookworm' | 'trixie';

/** Where this machine has its Debian packages from; null: from nowhere, or it is no Debian. */
export function debianMirror(): string | null {
  try {
    const text = execFileSync('apt-get', ['indextargets', '--format', '$(ORIGIN) $(SITE)'], {
      encoding: 'utf8',
    });
    return /^Debian (\S+\/debian)\/?$/m.exec(text)?.[1] ?? null;
  } catch {
    return null;
  }
}

/** A folder with a Debian of what every Debian has, and nothing else (`--variant=minbase`). */
export function debianRoot(release: Release, include: readonly string[] = []): string {
  const root = path.join(roots, [`root-${release}`, ...include].join('+').slice(0, 100));
  if (existsSync(path.join(root, 'etc', 'debian_version'))) return root;
  mkdirSync(roots, { recursive: true });
  const draft = mkdtempSync(path.join(roots, '.draft-'));
  const more = include.length === 0 ? [] : [`--include=${include.join(',')}`];
  const mirror = debianMirror();
  // Without a mirror debootstrap takes Debian's own.
  const from = mirror === null ? [] : [mirror];
  execFileSync('debootstrap', ['--variant=minbase', ...more, release, draft, ...from], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  renameSync(draft, root);
  return root;
}

/** The root is laid over the Debian, so that what is done there is gone with the machine. */
const boot = `
set -e
lower=$1 work=$2
mkdir -p "$work/disk"
mount -t tmpfs -o size=4g disk "$work/disk"
mkdir "$work/disk/upper" "$work/disk/work" "$work/root"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$work/disk/upper,workdir=$work/disk/work" "$work/root"
cd "$work/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs dev dev
mkdir dev/net dev/pts
for one in null zero full random urandom tty net/tun; do
  touch dev/$one
  mount --bind /dev/$one dev/$one
done
mount -t tmpfs run run
mkdir run/lock
ip link set lo up
echo ready
exec chroot . sleep infinity
`;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class BareMachine {
  /** Where, seen from the machine, the ports of this one are. */
  readonly outside: string;
  readonly #holder: ChildProcess;
  readonly #pid: number;
  readonly #folder: string;
  readonly #proxy: PackageProxy;
  readonly #servers: Server[] = [];
  readonly #relays: ChildProcess[] = [];

  private constructor(parts: {
    outside: string;
    holder: ChildProcess;
    pid: number;
    folder: string;
    proxy: PackageProxy;
  }) {
    this.outside = parts.outside;
    this.#holder = parts.holder;
    this.#pid = parts.pid;
    this.#folder = parts.folder;
    this.#proxy = parts.proxy;
  }

  /** `number`: of 0 to 63; machines at one time have different ones. */
  static async start(lower: string, number: number): Promise<BareMachine> {
    const folder = mkdtempSync(path.join(tmpdir(), 'powernode-bare-'));
    const spaces = ['--mount', '--pid', '--net', '--uts', '--ipc', '--fork', '--kill-child'];
    const args = [...spaces, '--propagation', 'private', 'sh', '-c', boot, 'sh', lower, folder];
    const holder = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [first] = (await once(holder.stdout, 'data')) as [Buffer];
    if (!String(first).startsWith('ready')) throw new Error(`the machine did not start: ${String(first)}`);
    const pid = Number(readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8').trim());
    const [outside, inside] = [1, 2].map((host) => `10.251.77.${number * 4 + host}`) as [string, string];
    // Both ends are the machine's own.
    inNetwork(pid, 'ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'outside');
    for (const [device, address] of [
      ['eth0', inside],
      ['outside', outside],
    ] as const) {
      inNetwork(pid, 'ip', 'address', 'add', `${address}/30`, 'dev', device);
      inNetwork(pid, 'ip', 'link', 'set', device, 'up');
    }
    const proxySocket = path.join(folder, 'proxy');
    const proxy = await startProxy(proxySocket);
    const machine = new BareMachine({ outside, holder, pid, folder, proxy });
    await machine.#relay(proxyPort, proxySocket);
    machine.write('/etc/apt/apt.conf.d/proxy', `Acquire::http::Proxy "${machine.proxyUrl}";\n`);
    return machine;
  }

  /** Lets the machine reach a port of this one's loopback, under the same number at `outside`. */
  async reach(port: number): Promise<void> {
    const socket = path.join(this.#folder, `port-${port}`);
    const server = createSocketServer((from) => {
      const to = connect(port, '127.0.0.1');
      from.pipe(to).pipe(from);
      for (const one of [from, to]) one.on('error', () => [from, to].forEach((end) => void end.destroy()));
    });
    server.listen(socket);
    await once(server, 'listening');
    this.#servers.push(server);
    await this.#relay(port, socket);
  }

  async #relay(port: number, socket: string): Promise<void> {
    const program = path.join(import.meta.dirname, 'relay-main.ts');
    const node = [process.execPath, program, this.outside, String(port), socket];
    const relay = spawn('nsenter', ['--target', String(this.#pid), '--net', '--', ...node], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#relays.push(relay);
    const ended = once(relay, 'exit').then(([code]) => `ended with ${String(code)}`);
    const said = await Promise.race([once(relay.stdout, 'data').then(() => 'ready'), ended]);
    if (said !== 'ready') throw new Error(`the relay to port ${port} ${said}`);
  }

  #enter(command: readonly string[]): string[] {
    const target = [
      '--target',
      String(this.#pid),
      '--mount',
      '--pid',
      '--net',
      '--uts',
      '--ipc',
      '--root',
      '--wd',
    ];
    return [
      ...target,
      '--',
      'env',
      '-i',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      ...command,
    ];
  }

  /** The proxy is in this process, so nothing here may wait without letting it work. */
  run(script: string): Promise<Outcome> {
    const child = spawn('nsenter', this.#enter(['sh', '-c', script]), { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text;
      });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, ...said }));
    });
  }

  async must(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(script);
    if (code === 0) return stdout;
    throw new Error(`${script} ended with ${code}: ${stdout}${stderr}`);
  }

  spawn(script: string): ChildProcess {
    return spawn('nsenter', this.#enter(['sh', '-c', script]), { stdio: 'ignore' });
  }

  /** For npm and others that take one by the environment. */
  get proxyUrl(): string {
    return `http://${this.outside}:${proxyPort}`;
  }

  write(file: string, text: string | Buffer): void {
    const args = this.#enter(['sh', '-c', `cat > ${file}`]);
    execFileSync('nsenter', args, { input: text });
  }

  async end(): Promise<void> {
    this.#proxy.end();
    for (const server of this.#servers) server.close();
    for (const relay of this.#relays) relay.kill('SIGKILL');
    const over = once(this.#holder, 'exit');
    this.#holder.kill('SIGKILL');
    await over;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function inNetwork(pid: number, ...command: readonly string[]): void {
  execFileSync('nsenter', ['--target', String(pid), '--net', '--', ...command]);
}

export interface PackageProxy {
  readonly port: number;
  end(): void;
}

/** Plain HTTP for apt, and CONNECT for npm. Listens on a port of an address, or on a socket of the file system. */
export async function startProxy(at: string): Promise<PackageProxy> {
  const server = createServer((from, to) => {
    const onward = request(from.url ?? '', { method: from.method, headers: from.headers }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    });
    onward.on('error', () => to.destroy());
    from.pipe(onward);
  });
  server.on('connect', (from, socket, head) => {
    const [name = '', port = '443'] = (from.url ?? '').split(':');
    const onward = connect(Number(port), name, () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const one of [onward, socket])
      one.on('error', () => [onward, socket].forEach((end) => void end.destroy()));
  });
  if (path.isAbsolute(at)) server.listen(at);
  else server.listen(0, at);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    end: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
