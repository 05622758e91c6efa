// A tunnel between two namespaces by wireguard-go, one end of which has a table of rules, and a stream through it.
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Host, Stage } from '../../packages/agent/fixtures/stage.ts';
import { far, near, openPort } from './document.ts';

const seconds = 4;
const readyWithinMs = 20_000;
const listenPort = 51820;

interface KeyPair {
  readonly publicKey: string;
  readonly privateKey: string;
}

export class Tunnel {
  readonly #stage: Stage;
  readonly #evaluating: Host;
  readonly #sending: Host;
  readonly #programs: ChildProcess[] = [];

  constructor(stage: Stage, hosts: { readonly evaluating: Host; readonly sending: Host }) {
    this.#stage = stage;
    this.#evaluating = hosts.evaluating;
    this.#sending = hosts.sending;
  }

  static async open(): Promise<Tunnel> {
    const stage = new Stage();
    const evaluating = await stage.host('judging');
    const sending = await stage.host('sending');
    const tunnel = new Tunnel(stage, { evaluating, sending });
    const [own, other] = [newKeyPair(), newKeyPair()];
    await tunnel.#prepare(evaluating, {
      keys: own,
      peer: other.publicKey,
      address: near.six,
      to: far.six,
      endpoint: null,
    });
    const endpoint = `198.18.200.1:${listenPort}`;
    await tunnel.#prepare(sending, {
      keys: other,
      peer: own.publicKey,
      address: far.six,
      to: near.six,
      endpoint,
    });
    tunnel.#programs.push(evaluating.spawn('iperf3', ['-s', '-p', String(openPort)]));
    await until(async () => (await sending.run('ping', '-c', '1', '-W', '1', near.six)).code === 0);
    return tunnel;
  }

  /** Tells nft at the end that evaluates. */
  async tell(text: string): Promise<void> {
    const file = path.join(path.dirname(this.#evaluating.stateDir), 'rules.nft');
    writeFileSync(file, text);
    await this.#evaluating.must('nft', '-f', file);
  }

  /** What gets through to the end that evaluates, by one stream. */
  async megabits(): Promise<number> {
    const args = ['-c', near.six, '-p', String(openPort), '-t', String(seconds), '-J'];
    const report = JSON.parse(await this.#sending.must('iperf3', ...args)) as {
      readonly end: { readonly sum_received: { readonly bits_per_second: number } };
    };
    return report.end.sum_received.bits_per_second / 1e6;
  }

  async end(): Promise<void> {
    for (const program of this.#programs) program.kill('SIGKILL');
    await this.#stage.end();
  }

  async #prepare(host: Host, at: End): Promise<void> {
    const key = path.join(path.dirname(host.stateDir), `${host.name}.key`);
    writeFileSync(key, at.keys.privateKey, { mode: 0o600 });
    const userspace = host.spawn('wireguard-go', ['-f', 'wg-test']);
    userspace.stdout?.resume();
    userspace.stderr?.resume();
    this.#programs.push(userspace);
    await until(async () => (await host.run('wg', 'show', 'wg-test')).code === 0);
    const calls = at.endpoint === null ? ['listen-port', String(listenPort)] : [];
    const called = at.endpoint === null ? [] : ['endpoint', at.endpoint];
    const peer = ['peer', at.peer, ...called, 'allowed-ips', `${at.to}/128`];
    await host.must('wg', 'set', 'wg-test', ...calls, 'private-key', key, ...peer);
    await host.must('ip', 'address', 'add', `${at.address}/128`, 'dev', 'wg-test', 'nodad');
    await host.must('ip', 'link', 'set', 'wg-test', 'mtu', '1420', 'up');
    await host.must('ip', '-6', 'route', 'add', `${at.to}/128`, 'dev', 'wg-test');
  }
}

interface End {
  readonly keys: KeyPair;
  readonly peer: string;
  readonly address: string;
  readonly to: string;
  /** null: it is called. */
  readonly endpoint: string | null;
}

function newKeyPair(): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const raw = (der: Buffer) => der.subarray(-32).toString('base64');
  return {
    publicKey: raw(publicKey.export({ type: 'spki', format: 'der' })),
    privateKey: raw(privateKey.export({ type: 'pkcs8', format: 'der' })),
  };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + readyWithinMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error('the tunnel does not come up');
    await pause(20);
  }
}
