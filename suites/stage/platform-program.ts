// A platform started as the program that it is, with machines that are only simulated: for tests of what people see.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { vi } from 'vitest';
import { leaveSimulated } from '../../packages/platform/deliver/simulated-enrolment.ts';
import type { SimulatedNode } from '../../packages/platform/deliver/simulated-node.ts';
import { joinSimulated } from './join-simulated.ts';

/** A machine is let into networks once its keys have arrived: at once, or when the test machine gets to it. */
const runningMs = 60_000;
const root = path.join(import.meta.dirname, '..', '..');

export interface PlatformProgram {
  readonly url: string;
  /** Where its nodes connect to, on loopback unless an option says otherwise. */
  readonly nodePort: number;
  /** Of its administrator. */
  readonly token: string;
  /** What it has logged so far. */
  log(): string;
  /** Runs an action as the administrator; throws the problem that it answers. */
  action<Answer>(name: string, input: object): Promise<Answer>;
  /** A machine whose node says that it applies what it is sent; returns its instance. */
  joinMachine(hostname: string): Promise<string>;
  /** The node of a machine that joined. */
  nodeOf(instanceId: string): SimulatedNode;
  /** The machine leaves the fleet by itself. */
  leave(instanceId: string): Promise<void>;
  end(): Promise<void>;
}

/** `options`: of `powernode up`, over those that a test needs. */
export async function startPlatformProgram(options: readonly string[] = []): Promise<PlatformProgram> {
  const directory = await mkdtemp(path.join(tmpdir(), 'pn-program-'));
  const argv = [
    'packages/platform/main.ts',
    'up',
    '--port',
    '0',
    '--node-port',
    '0',
    '--data-dir',
    directory,
    ...options,
  ];
  const child = spawn(process.execPath, argv, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const url = await announced(child, () => log);
  const nodes = new Map<string, SimulatedNode>();
  const leavings = new Map<string, () => Promise<void>>();
  const token = readFileSync(path.join(directory, 'admin-token'), 'utf8').trim();

  async function action<Answer>(name: string, input: object): Promise<Answer> {
    const response = await fetch(`${url}/api/v1/actions/${name}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(input),
    });
    const answer = (await response.json()) as Answer;
    if (!response.ok) throw new Error(`${name} answered ${JSON.stringify(answer)}`);
    return answer;
  }

  async function statusOf(instanceId: string): Promise<string> {
    const { instance } = await action<{ instance: { status: string } }>('system_get_instance', {
      instance_id: instanceId,
    });
    return instance.status;
  }

  const nodePort = Number(/"node_port":(\d+)/.exec(log)?.[1]);

  return {
    url,
    nodePort,
    token,
    log: () => log,
    nodeOf(instanceId) {
      const node = nodes.get(instanceId);
      if (node === undefined) throw new Error(`no machine ${instanceId} has joined`);
      return node;
    },
    async leave(instanceId) {
      // As an agent that ends; who is connected with the identity would be another machine.
      nodes.get(instanceId)?.close();
      await leavings.get(instanceId)?.();
    },
    action,
    async joinMachine(hostname) {
      const { join_token: made } = await action<{ join_token: { token: string } }>(
        'system_create_join_token',
        {},
      );
      const nodeUrl = `https://127.0.0.1:${nodePort}`;
      const { node, instanceId, credentials } = await joinSimulated({
        ...{ nodeUrl, token: made.token, hostname, unusedKeys: 30 },
      });
      nodes.set(instanceId, node);
      leavings.set(instanceId, () => leaveSimulated({ nodeUrl, credentials }));
      await vi.waitUntil(async () => (await statusOf(instanceId)) === 'running', { timeout: runningMs });
      return instanceId;
    },
    async end() {
      for (const node of nodes.values()) node.close();
      child.kill('SIGINT');
      if (child.exitCode === null) await once(child, 'exit');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The console's address, once the platform says that it is up. */
function announced(child: ChildProcess, log: () => string): Promise<string> {
  let said = '';
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const url = /Powernode is up: (\S+)\n[^]*admin-token/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', () => reject(new Error(`the platform ended: ${said}${log()}`)));
  });
}
