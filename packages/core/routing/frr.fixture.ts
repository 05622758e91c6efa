// Test support: hosts with daemons of FRR of their own, each in a network namespace, all on one bridge. Needs root.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConfigLine, configText, readConfig } from './config-lines.ts';
import { diffConfig } from './diff.ts';
import { bfddConfig } from './render.ts';

const programs = '/usr/lib/frr';

/** Waits for a condition; gives up when it has long been hopeless, and says why. */
export async function until<T>(
  what: string,
  look: () => Promise<T | null> | T | null,
  limitMs = 60_000,
): Promise<T> {
  const giveUpAtMs = Date.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > giveUpAtMs) throw new Error(`waited for ${what} in vain`);
    await sleep(20);
  }
}

/** A connection to a daemon as vtysh has it: a command ends with a zero byte, an answer with three and a code. */
class Vty {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on('close', () => this.#wake());
  }

  static async open(file: string): Promise<Vty> {
    const socket = await until(`${file} to answer`, async () => {
      const one = connect(file);
      const isOpen = await new Promise<boolean>((resolve) => {
        one.once('connect', () => resolve(true));
        one.once('error', () => resolve(false));
      });
      return isOpen ? one : null;
    });
    const vty = new Vty(socket);
    await vty.run('enable');
    return vty;
  }

  async run(command: string): Promise<string> {
    this.#socket.write(`${command}\0`);
    for (;;) {
      const end = this.#received.length - 4;
      if (end >= 0 && this.#received.subarray(end, end + 3).every((byte) => byte === 0)) break;
      if (this.#socket.closed) throw new Error(`the daemon has ended at: ${command}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const text = this.#received.subarray(0, -4).toString('utf8');
    const code = this.#received.at(-1);
    this.#received = Buffer.alloc(0);
    if (code !== 0) throw new Error(`${command}: code ${code}: ${text}`);
    return text;
  }

  end(): void {
    this.#socket.destroy();
  }
}

/** So that a machine with other work to do loses no session. */
const slowBfdd = bfddConfig.map(({ path, line }) => ({
  path,
  line: line.replace(/interval \d+$/, 'interval 3000'),
}));

/** One host with a daemon each. */
export class FrrHost {
  readonly #folder: string;
  readonly #namespace: string;
  readonly #children: ChildProcess[] = [];
  readonly #vtys: Vty[] = [];

  constructor(folder: string, namespace: string) {
    this.#folder = folder;
    this.#namespace = namespace;
  }

  async start(config: readonly ConfigLine[], address: string): Promise<void> {
    mkdirSync(this.#folder);
    execFileSync('chown', ['frr:frrvty', this.#folder]);
    this.#file('zebra', '');
    this.#file('bfdd', configText(slowBfdd));
    this.#file('bgpd', configText(config));
    await this.#daemon('zebra', []);
    await this.#daemon('bfdd', ['--bfdctl', path.join(this.#folder, 'bfdd.sock')]);
    await this.#daemon('bgpd', ['-n', '-l', address]);
  }

  async #daemon(name: string, more: readonly string[]): Promise<void> {
    const place = [
      '-f',
      this.#path(`${name}.conf`),
      '-i',
      this.#path(`${name}.pid`),
      '-z',
      this.#path('zserv.api'),
    ];
    const common = ['--vty_socket', this.#folder, '-P', '0', '-u', 'frr', '-g', 'frr', '--log', 'stdout'];
    const args = ['netns', 'exec', this.#namespace, `${programs}/${name}`, ...place, ...common, ...more];
    const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#children.push(child);
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => said.push(String(chunk)));
    child.once('exit', (code) => {
      if (code !== null && code !== 0) process.stderr.write(`${name}: ${said.join('')}\n`);
    });
    this.#vtys.push(await Vty.open(this.#path(`${name}.vty`)));
    this.said[name] = said;
  }

  /** What each daemon has logged. */
  readonly said: Record<string, string[]> = {};

  #path(file: string): string {
    return path.join(this.#folder, file);
  }

  #file(name: string, text: string): void {
    writeFileSync(this.#path(`${name}.conf`), text, { mode: 0o644 });
  }

  bgp(command: string): Promise<string> {
    return this.#run(2, command);
  }

  #run(at: number, command: string): Promise<string> {
    const vty = this.#vtys[at];
    if (vty === undefined) throw new Error('the daemon does not run');
    return vty.run(command);
  }

  async difference(wanted: readonly ConfigLine[]): Promise<string[]> {
    return diffConfig(readConfig(await this.bgp('show running-config')), wanted);
  }

  async apply(commands: readonly string[]): Promise<void> {
    if (commands.length === 0) return;
    for (const command of ['configure terminal', ...commands, 'end']) await this.bgp(command);
  }

  /** What bfdd prints of a configuration. */
  async loadedBfd(config: readonly ConfigLine[]): Promise<ConfigLine[]> {
    const load = async (lines: readonly ConfigLine[]) => {
      const commands = diffConfig(readConfig(await this.#run(1, 'show running-config')), lines);
      for (const command of ['configure terminal', ...commands, 'end']) await this.#run(1, command);
    };
    await load(config);
    const loaded = readConfig(await this.#run(1, 'show running-config'));
    await load(slowBfdd);
    return loaded;
  }

  end(): void {
    for (const vty of this.#vtys) vty.end();
    for (const child of this.#children) child.kill('SIGKILL');
  }
}

let sets = 0;

/** Hosts that reach each other by their addresses. */
export class FrrHosts {
  readonly #name = `pnfrr${process.pid}x${++sets}`;
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'powernode-frr-'));
  readonly hosts = new Map<string, FrrHost>();

  constructor(addresses: readonly string[]) {
    chmodSync(this.#folder, 0o755);
    const bridge = `${this.#name}-sw`;
    ip('netns', 'add', bridge);
    ip('-n', bridge, 'link', 'add', 'br0', 'up', 'type', 'bridge');
    for (const [i, address] of addresses.entries()) {
      const namespace = `${this.#name}-${i}`;
      ip('netns', 'add', namespace);
      ip('-n', namespace, 'link', 'set', 'lo', 'up');
      ip(
        '-n',
        bridge,
        'link',
        'add',
        `p${i}`,
        'master',
        'br0',
        'up',
        'type',
        'veth',
        'peer',
        'name',
        'eth0',
        'netns',
        namespace,
      );
      ip('-n', namespace, 'addr', 'add', `${address}/64`, 'dev', 'eth0', 'nodad');
      ip('-n', namespace, 'link', 'set', 'eth0', 'up');
      this.hosts.set(address, new FrrHost(path.join(this.#folder, String(i)), namespace));
    }
  }

  end(): void {
    for (const host of this.hosts.values()) host.end();
    const mine = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split(/\s+/);
    for (const name of mine.filter((one) => one.startsWith(`${this.#name}-`))) ip('netns', 'del', name);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args);
}
