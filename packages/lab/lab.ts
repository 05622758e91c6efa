// The lab as a library, for tests, the demo and benchmarks. Everything that the command line can do, and the
// finer kills that tests need.
import { readFile } from 'node:fs/promises';
import { ProductError } from '@powernode/core/errors';
import { labPingIntervalMs } from '@powernode/core/limits/lab';
import {
  findAgent,
  hostEnvironment,
  killAgent,
  type ProbedPath,
  probedPaths,
  startAgent,
} from './fleet/agent.ts';
import { type Call, connect } from './fleet/api.ts';
import { killPlatform, startPlatform, stopPlatform } from './fleet/platform.ts';
import { chooseProgram } from './fleet/programs.ts';
import type { Answer, AskReport, Greeting, Place, StreamReport } from './inside/messages.ts';
import {
  bindAnywhere,
  type Questions,
  type RunningStream,
  type Service,
  serve,
  startAsking,
  startStream,
} from './inside/program.ts';
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
import {
  breakForwarding,
  countForwarded,
  type Flow,
  type ForwardCount,
  repairForwarding,
} from './stage/forwarding.ts';
import { inside } from './stage/holder.ts';
import { listParted, part } from './stage/partition.ts';
import { findHolder } from './stage/process.ts';
import { attempt, type Command, type Outcome } from './stage/run.ts';
import {
  type PingOptions,
  type PingReport,
  type PingResult,
  type PingsSoFar,
  pingMatrix,
  type RunningPings,
  startPings,
} from './watch/ping.ts';
import { type RouteWatch, watchRoutes, wayTo } from './watch/routes.ts';
import { type LabStatus, readStatus } from './watch/status.ts';

export type {
  Answer,
  AskReport,
  Flow,
  ForwardCount,
  Greeting,
  LabSpecInput,
  LabStatus,
  Pair,
  PingReport,
  PingResult,
  PingsSoFar,
  Questions,
  RouteWatch,
  RunningPings,
  RunningStream,
  Service,
  StreamReport,
};

export interface LabOptions {
  /** Another name than the file's, so that one file makes several labs. */
  readonly name?: string | undefined;
  readonly report?: (line: string) => void;
  /** Files to run platforms and agents from, by node (`chooseProgram`). */
  readonly programs?: Readonly<Record<string, string>>;
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
  const { report = () => undefined, programs = {} } = options;
  return new Lab(await bringUp(named, { report, programs }));
}

/** A lab that is up already. */
export async function findLab(name: string): Promise<Lab> {
  return new Lab(await openLab(name));
}

export interface StreamSettings {
  readonly intervalMs?: number;
  /** Connects anew after so long without an echo. Without it one connection has to do. */
  readonly giveUpMs?: number;
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

  /** Parts these hosts (and platforms) from all others at once; replaces what was parted before. */
  partition(names: readonly string[]): Promise<void> {
    return part(this.plan, names);
  }

  /** Ends the partition. Cuts of pairs stay. */
  unite(): Promise<void> {
    return part(this.plan, []);
  }

  /** Who is parted from all others. */
  parted(): Promise<string[]> {
    return listParted(this.plan);
  }

  /** The host goes on to live and to answer, and forwards nothing. */
  breakForwarding(host: string): Promise<void> {
    return breakForwarding({ plan: this.plan, name: host });
  }

  repairForwarding(host: string): Promise<void> {
    return repairForwarding({ plan: this.plan, name: host });
  }

  /** Counts packets between two addresses that pass the host, both ways. */
  countForwarded(host: string, flow: Flow): Promise<ForwardCount> {
    return countForwarded({ plan: this.plan, name: host }, flow);
  }

  /** Sees every change of the host's IPv6 routes into overlays. */
  watchRoutes(host: string): Promise<RouteWatch> {
    return watchRoutes({ plan: this.plan, name: host });
  }

  /** The interface by which a host would send to an address now; null: no way. */
  wayTo(host: string, address: string): Promise<string | null> {
    return wayTo({ plan: this.plan, name: host }, address);
  }

  /** The paths that a host's agent probes. */
  probedPaths(host: string): Promise<readonly ProbedPath[]> {
    return probedPaths(hostPlace(this.#open, host));
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

  /** From its next start on the node runs this file; null: the program of this checkout. */
  chooseProgram(node: string, file: string | null): Promise<void> {
    return chooseProgram({ lab: this.plan.name, node }, file);
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

  /** Lets services of the host listen at addresses that it does not have yet, or not at present. */
  bindAnywhere(host: string): Promise<void> {
    return bindAnywhere({ plan: this.plan, host });
  }

  /** A TCP and UDP service inside a host that says which host it is; TCP gives back what it gets. */
  serve(
    host: string,
    at: { readonly tcp?: readonly Place[]; readonly udp?: readonly Place[] },
  ): Promise<Service> {
    return serve({ plan: this.plan, host }, { tcp: [...(at.tcp ?? [])], udp: [...(at.udp ?? [])] });
  }

  /** A line every 10 ms over TCP to such a service and back. */
  startStream(host: string, to: Place & StreamSettings): Promise<RunningStream> {
    const { address, port, intervalMs = labPingIntervalMs, giveUpMs = null } = to;
    return startStream(
      { plan: this.plan, host },
      { address, port, interval_ms: intervalMs, give_up_ms: giveUpMs },
    );
  }

  /** Asks such a service over UDP who it is, again and again. */
  startAsking(host: string, to: Place & { readonly intervalMs: number }): Promise<Questions> {
    const { address, port, intervalMs } = to;
    return startAsking({ plan: this.plan, host }, { address, port, interval_ms: intervalMs });
  }

  async down(): Promise<void> {
    await takeDown(this.plan.name);
  }
}
