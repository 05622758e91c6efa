// What the lab's own tests share: labs with names of their own, in a folder of their own, taken down at the end;
// and probes that run inside hosts.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Lab, LabSpecInput } from '../lab.ts';
import { readProcess, signal, waitFor } from '../stage/process.ts';
import { toolPath } from '../stage/run.ts';

/** Unique on this machine, so that a lab that runs meanwhile, or another test, is not touched. */
export function uniqueName(word: string): string {
  return `${word}-${process.pid.toString(36)}${(counter++).toString(36)}`;
}
let counter = 0;

/** A folder for labs instead of the machine's; returns how to remove it. */
export async function ownLabFolder(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'powernode-lab-'));
  // The embedded database runs as a user of its own, which has to get through to its files.
  await chmod(folder, 0o711);
  const before = process.env['POWERNODE_LAB_DIR'];
  process.env['POWERNODE_LAB_DIR'] = path.join(folder, 'labs');
  return async () => {
    if (before === undefined) delete process.env['POWERNODE_LAB_DIR'];
    else process.env['POWERNODE_LAB_DIR'] = before;
    await rm(folder, { recursive: true, force: true });
  };
}

/** Two public hosts, two behind one cone NAT, one behind a symmetric one. */
export function streets(name: string): LabSpecInput {
  return {
    name,
    lans: [{ name: 'home' }, { name: 'office' }],
    nats: [
      { name: 'nat-home', kind: 'cone', lan: 'home' },
      { name: 'nat-office', kind: 'symmetric', lan: 'office' },
    ],
    hosts: [
      { name: 'pub1', on: 'public' },
      { name: 'pub2', on: 'public' },
      { name: 'home1', on: 'home' },
      { name: 'home2', on: 'home' },
      { name: 'office1', on: 'office' },
    ],
  };
}

export async function pings(lab: Lab, from: string, to: string): Promise<boolean> {
  const outcome = await lab.exec(from, { program: 'ping', args: ['-n', '-c', '1', '-W', '1', to] });
  return outcome.exitCode === 0;
}

/** Runs a script of Node inside a host for as long as the test needs it; ends with the host. */
export async function script(lab: Lab, host: string, text: string): Promise<HostScript> {
  const command = lab.command(host, { program: process.execPath, args: ['-e', text] });
  const child = spawn(command.program, [...command.args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, PATH: toolPath },
  });
  const running = new HostScript(child);
  await running.line('up');
  return running;
}

/** A script that prints lines and takes lines. */
export class HostScript {
  readonly lines: string[] = [];
  readonly child: ChildProcess;
  #rest = '';

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      const parts = (this.#rest + chunk.toString()).split('\n');
      this.#rest = parts.pop() ?? '';
      this.lines.push(...parts);
    });
  }

  tell(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** The first line that begins so, as soon as it is there. */
  line(beginning: string): Promise<string> {
    return waitFor({ what: `a line "${beginning}…"`, limitMs: 20_000, pollMs: 5 }, () =>
      this.lines.find((line) => line.startsWith(beginning)),
    );
  }
}

/**
 * A UDP socket on the port: `send ADDRESS PORT WORD` sends; what arrives is printed as
 * `got WORD from ADDRESS PORT`, and a word that begins with `echo` is sent back as `seen-ADDRESS-PORT`.
 */
export function udpSocket(port: number): string {
  return `
    const socket = require('node:dgram').createSocket('udp4');
    socket.on('message', (data, from) => {
      console.log('got ' + data + ' from ' + from.address + ' ' + from.port);
      if (String(data).startsWith('echo')) socket.send('seen-' + data + '-' + from.address + '-' + from.port, from.port, from.address);
    });
    socket.bind(${port}, () => console.log('up'));
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const [, address, port, word] = line.split(' ');
      socket.send(word, Number(port), address);
    });
  `;
}

/** By which address and port the far end saw a packet that this host sent from its socket. */
export async function seenAs(
  from: HostScript,
  to: { readonly address: string; readonly port: number; readonly word: string },
): Promise<string> {
  from.tell(`send ${to.address} ${to.port} echo-${to.word}`);
  const line = await from.line(`got seen-echo-${to.word}-`);
  return /-(\d+\.\d+\.\d+\.\d+-\d+) from/.exec(line)?.[1] ?? line;
}

/** Whether a process of this machine runs, zombies not counted. */
export function runs(pid: number): boolean {
  return readProcess(pid) !== null;
}

export function killNow(pid: number): void {
  signal(pid, 'SIGKILL');
}
