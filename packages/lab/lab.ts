// The lab as a library, for tests, the demo and benchmarks. Everything that the command line can do, and the
// finer kills that tests need.
import { readFile } from 'node:fs/promises';
import { ProductError } from '@powernode/core/errors';
import { findAgent, hostEnvironment, killAgent, startAgent } from './fleet/agent.ts';
import { type Call, connect } from './fleet/api.ts';
import { killPlatform, startPlatform, stopPlatform } from './fleet/platform.ts';
import { takeDown } from './life/down.ts';
import { hostPlace, isPlatform, type OpenLab, openLab, platformPlace } from './life/record.ts';
import { bringUp, hostFolder } from './life/up.ts';
import type { LabPlan } from './plan/plan.ts';
import { hostOf } from './plan/plan.ts';
import { acceptSpec, readSpec } from './plan/read.ts';
import type { LabSpec, LabSpecInput } from './plan/spec.ts';
import { cut, heal, listCuts, type Pair } from './stage/cut.ts';
import { requireNode, startHost, startNat, stopNode } from './stage/fabric.ts';
import { makeNodeFolder } from './stage/folder.ts';
import { inside } from './stage/holder.ts';
import { findHolder } from './stage/process.ts';
import { attempt, type Command, type Outcome } from './stage/run.ts';
import {
  type PingOptions,
  type PingReport,
  type PingResult,
  pingMatrix,
  type RunningPings,
  startPings,
} from './watch/ping.ts';
import { type LabStatus, readStatus } from './watch/status.ts';

export type { LabSpecInput, LabStatus, Pair, PingReport, PingResult, RunningPings };

export interface LabOptions {
  /** Another name than the file's, so that one file makes several labs. */
  readonly name?: string | undefined;
  readonly report?: (line: string) => void;
}

/** Brings up the lab of a file, or what is missing of it; returns when every peer is connected. */
export async function upFile(path: string, options: LabOptions = {}): Promise<Lab> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new ProductError('not_found', `the lab file ${path} cannot be read (${cause.code})`, { cause });
  });
  return up(readSpec({ path, text }), options);
}

/** The same for a lab that a program has written. */
export async function upSpec(input: LabSpecInput, options: LabOptions = {}): Promise<Lab> {
  return up(acceptSpec(input), options);
}

async function up(spec: LabSpec, options: LabOptions): Promise<Lab> {
  const named = options.name === undefined ? spec : acceptSpec({ ...spec, name: options.name });
  return new Lab(await bringUp(named, { report: options.report ?? (() => undefined) }));
}

/** A lab that is up already. */
export async function findLab(name: string): Promise<Lab> {
  return new Lab(await openLab(name));
}

export class Lab {
  readonly #open: OpenLab;

  constructor(open: OpenLab) {
    this.#open = open;
  }

  get plan(): LabPlan {
    return this.#open.plan;
  }

  status(): Promise<LabStatus> {
    return readStatus(this.#open);
  }

  /** The platform's actions, as its administrator. */
  platform(name: string): Promise<Call> {
    return connect(platformPlace(this.#open, name));
  }

  /** A command inside a host or a NAT, as arguments for `spawn`, so that stdio is the caller's business. */
  command(node: string, command: Command): Command {
    return inside(requireNode(this.plan, node), command);
  }

  /** Runs a command inside a host or a NAT to its end. */
  exec(node: string, command: Command): Promise<Outcome> {
    return attempt(this.command(node, command));
  }

  /** What the agent's command line needs to find this host's state. */
  environment(host: string): Record<string, string> {
    return hostEnvironment(hostPlace(this.#open, host));
  }

  cut(pair: Pair): Promise<void> {
    return cut(this.plan, pair);
  }

  heal(pair: Pair): Promise<void> {
    return heal(this.plan, pair);
  }

  cuts(): Promise<Pair[]> {
    return listCuts(this.plan);
  }

  /** Power off. Of a platform: it and its database, without warning. */
  async kill(name: string): Promise<void> {
    if (!isPlatform(this.#open, name)) {
      requireNode(this.plan, name);
      await stopNode(this.plan, name);
      return;
    }
    await this.killPlatform(name, 'SIGKILL');
    await stopPlatform(platformPlace(this.#open, name));
  }

  /** Power on again: the machine boots with its disk as it was, and its agent starts if it has joined. */
  async start(name: string): Promise<void> {
    if (isPlatform(this.#open, name)) return startPlatform(platformPlace(this.#open, name));
    if (findHolder({ lab: this.plan.name, node: name }) === null) await this.#boot(name);
    if (this.#open.record.instances[name] !== undefined) await this.startAgent(name);
  }

  async #boot(name: string): Promise<void> {
    const { plan } = this;
    const nat = plan.nats.find((candidate) => candidate.name === name);
    if (nat !== undefined) {
      await startNat(plan, nat, await makeNodeFolder(plan.name, name));
      return;
    }
    const host = hostOf(plan, name);
    await startHost(plan, host, await hostFolder(plan, host));
  }

  startAgent(host: string): Promise<void> {
    return startAgent(hostPlace(this.#open, host));
  }

  /** Ends only the agent; tunnels in the kernel or in wireguard-go stay. */
  killAgent(host: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return killAgent(hostPlace(this.#open, host), signal);
  }

  /** As this machine numbers processes; null when none runs. */
  agentPid(host: string): number | null {
    return findAgent(hostPlace(this.#open, host))?.pid ?? null;
  }

  startPlatform(name: string): Promise<void> {
    return startPlatform(platformPlace(this.#open, name));
  }

  /** Ends only the platform's own process; its database may live on, as after a crash. */
  killPlatform(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return killPlatform(platformPlace(this.#open, name), signal);
  }

  /** One round trip between all pairs of hosts that share a network. */
  matrix(): Promise<PingResult[]> {
    return pingMatrix(this.#open);
  }

  /** Pings between all pairs until stopped, with every loss counted. */
  startPings(options: PingOptions = {}): Promise<RunningPings> {
    return startPings(this.#open, options);
  }

  async down(): Promise<void> {
    await takeDown(this.plan.name);
  }
}
