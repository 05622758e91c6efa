// Benchmark (d): what an agent takes of its machine, small and among 1,000 peers, and how long one change takes from
// its arrival until the kernel was read back; beside `wg syncconf` and `wg show` of the same on a
// wireguard-go beside it.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { agentCollectMs } from '@powernode/core/limits/agent';
import type { PeerEntry } from '@powernode/core/wire/document';
import { hubDocument, peerOf } from '../packages/agent/fixtures/documents.ts';
import { RemotePlatform } from '../packages/agent/fixtures/remote-platform.ts';
import { agentMain, type Host, Stage } from '../packages/agent/fixtures/stage.ts';
import { percentile, type Report } from './report.ts';
import { ending } from './stage/endings.ts';
import { lacking } from './stage/machine.ts';
import { withFolder } from './stage/platform.ts';
import { descendantsOf, endedChildrenMsOf, ProcessorMeter, residentBytesOf } from './stage/processes.ts';

const few = 5;
const many = 1000;
const changes = 30;
const betweenChangesMs = 100;
/** Several of an agent's rounds of looking. */
const idleMs = 25_000;
const hostname = 'machine';
const leaf = 'wg-test';
const bench = 'agent';

export async function benchAgent(report: Report): Promise<void> {
  report.heading('(d) agent, with wireguard-go');
  const missing = lacking();
  if (missing !== null) return report.skip(bench, missing);
  const stage = new Stage();
  const end = ending(() => stage.end());
  try {
    const elsewhere = await stage.host('elsewhere');
    const host = await stage.host(hostname);
    const platform = await RemotePlatform.start(elsewhere, '198.18.200.1');
    const joined = await host.agent(
      'join',
      ...['--platform', platform.url],
      ...['--token', await platform.token()],
      ...['--hostname', hostname],
    );
    if (joined.code !== 0) throw new Error(`the agent could not join: ${joined.stderr}`);
    const runs = host.spawn(process.execPath, [agentMain, 'run', '--state-dir', host.stateDir]);
    runs.stderr?.resume();
    const hello = await platform.heard(({ message }) => message.kind === 'hello');
    const [ownKey = ''] = hello.message.kind === 'hello' ? hello.message.unused_keys : [];
    const agent = new RunningAgent(agentPid(runs.pid ?? 0));
    await new AgentBench({ report, host, platform, agent, ownKey }).run();
  } finally {
    await end();
  }
}

/** The processor time and the memory of an agent, and of the tools that it starts. */
class RunningAgent {
  readonly pid: number;
  readonly #own: ProcessorMeter;

  constructor(pid: number) {
    this.pid = pid;
    this.#own = new ProcessorMeter(() => [pid]);
  }

  ownMs(): number {
    return this.#own.readMs();
  }

  toolsMs(): number {
    return endedChildrenMsOf(this.pid);
  }

  residentMegabytes(): number {
    return residentBytesOf(this.pid) / 1e6;
  }
}

/** nsenter stays as the parent of what it starts in another process namespace. */
function agentPid(parent: number): number {
  const found = descendantsOf(parent).find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(agentMain),
  );
  if (found === undefined) throw new Error('the agent does not run');
  return found;
}

interface Parts {
  readonly report: Report;
  readonly host: Host;
  readonly platform: RemotePlatform;
  readonly agent: RunningAgent;
  readonly ownKey: string;
}

class AgentBench {
  readonly #parts: Parts;
  readonly #begunMs = performance.now();
  #revision = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { report, ownKey } = this.#parts;
    const peers = Array.from({ length: many }, (_, i) => peer(i + 2));
    await this.#applied([...hubDocument(1, ownKey), ...peers.slice(0, few)]);
    await this.#rest(few);
    const syncconf = await this.#syncconf(peers);
    report.add({
      bench,
      what: `from ${few} peers to ${many}, arrival to read back`,
      value: await this.#applied(peers.slice(few)),
      unit: 'ms',
      beside: { what: 'wg syncconf and wg show', value: syncconf.loadMs },
    });
    await pause(1000);
    await this.#change(syncconf.changeMs);
    await this.#rest(many);
  }

  /** Sends the entries and answers how long it took until the agent had read back what the kernel has. */
  async #applied(set: Parameters<RemotePlatform['put']>[1], remove: readonly string[] = []): Promise<number> {
    const { platform } = this.#parts;
    const from = platform.said.length;
    const revision = ++this.#revision;
    const began = performance.now();
    await platform.put(hostname, set, remove);
    await platform.applied(hostname, revision, from);
    return performance.now() - began;
  }

  async #rest(peers: number): Promise<void> {
    const { report, agent } = this.#parts;
    // Measured before the next time that it collects its garbage, as it does for as long as it runs, and then read.
    const collectsMs = agentCollectMs - ((performance.now() - this.#begunMs) % agentCollectMs);
    const spareMs = collectsMs - idleMs;
    await pause(spareMs < 0 ? spareMs + agentCollectMs : spareMs);
    agent.ownMs();
    const before = agent.toolsMs();
    await pause(idleMs);
    const own = agent.ownMs();
    const tools = agent.toolsMs() - before;
    await pause(2000);
    report.add({
      bench,
      what: `resident memory at rest, ${peers} peers`,
      value: agent.residentMegabytes(),
      unit: 'MB',
      beside: { what: 'a Node program that does nothing', value: await bareNodeMegabytes() },
      target: { value: 90, better: 'lower' },
    });
    report.add({
      bench,
      what: `processor time at rest, ${peers} peers`,
      value: ((own + tools) / idleMs) * 100,
      unit: '%',
      note: `itself ${((own / idleMs) * 100).toFixed(2)} %, the tools that it starts ${((tools / idleMs) * 100).toFixed(2)} %`,
    });
  }

  /** One peer more or one less among many. */
  async #change(syncconfMs: number): Promise<void> {
    const { report, agent } = this.#parts;
    const times: number[] = [];
    agent.ownMs();
    const before = agent.toolsMs();
    for (let i = 0; i < changes; i += 2) {
      const one = peer(many + 10 + i);
      times.push(await this.#applied([one]));
      await pause(betweenChangesMs);
      times.push(await this.#applied([], [`peer/${leaf}/${one.public_key}`]));
      await pause(betweenChangesMs);
    }
    const own = agent.ownMs() / times.length;
    const tools = (agent.toolsMs() - before) / times.length;
    report.add({
      bench,
      what: `one change among ${many} peers, arrival to read back, p50 of ${times.length}`,
      value: percentile(times, 0.5),
      unit: 'ms',
      beside: { what: 'wg syncconf and wg show', value: syncconfMs },
      note: `p95 ${percentile(times, 0.95).toFixed(0)} ms; processor time ${own.toFixed(1)} ms and ${tools.toFixed(1)} ms of tools`,
    });
  }

  /** The same peers on an interface of its own, by the whole configuration each time. */
  #syncconf(peers: readonly PeerEntry[]): Promise<Syncconf> {
    const { host } = this.#parts;
    return withFolder(async (folder) => {
      const file = (name: string) => path.join(folder, name);
      await writeFile(file('few'), configurationOf(peers.slice(0, few)), { mode: 0o600 });
      await writeFile(file('many'), configurationOf(peers), { mode: 0o600 });
      await writeFile(file('more'), configurationOf([...peers, peer(many + 5)]), { mode: 0o600 });
      const userspace = host.spawn('wireguard-go', ['-f', 'bench0']);
      userspace.stdout?.resume();
      userspace.stderr?.resume();
      await until(async () => (await host.run('wg', 'show', 'bench0', 'public-key')).code === 0);
      const shell = new InnerShell(host);
      const sync = (name: string) =>
        shell.run(`wg syncconf bench0 ${file(name)} && wg show bench0 dump > ${file('dump')}`);
      await sync('few');
      const loadMs = await sync('many');
      const times: number[] = [];
      for (let i = 0; i < changes; i++) {
        await pause(betweenChangesMs);
        times.push(await sync(i % 2 === 0 ? 'more' : 'many'));
      }
      shell.end();
      await host.must('ip', 'link', 'delete', 'bench0');
      return { loadMs, changeMs: percentile(times, 0.5) };
    });
  }
}

interface Syncconf {
  readonly loadMs: number;
  readonly changeMs: number;
}

/** A shell that is inside already: entering the host for each command would cost as much as some of them. */
class InnerShell {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor(host: Host) {
    this.#child = host.spawn('sh', []);
    if (this.#child.stdout === null) throw new Error('the shell has no output');
    this.#child.stderr?.resume();
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** How long the command took, its process included. */
  async run(command: string): Promise<number> {
    const began = performance.now();
    this.#child.stdin?.write(`${command}\necho "ended with $?"\n`);
    const { value } = await this.#answers.next();
    if (value !== 'ended with 0') throw new Error(`${command}: ${value}`);
    return performance.now() - began;
  }

  end(): void {
    this.#child.stdin?.end();
  }
}

function peer(number: number): PeerEntry {
  return peerOf({ interface: leaf, number, publicKey: randomBytes(32).toString('base64') });
}

function configurationOf(peers: readonly PeerEntry[]): string {
  return peers
    .map((one) => `[Peer]\nPublicKey = ${one.public_key}\nAllowedIPs = ${one.allowed_ips.join(', ')}\n`)
    .join('');
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('wireguard-go does not answer');
    await pause(20);
  }
}

async function bareNodeMegabytes(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9)'], { stdio: 'ignore' });
  try {
    await pause(1000);
    return residentBytesOf(child.pid ?? 0) / 1e6;
  } finally {
    child.kill('SIGKILL');
  }
}
