// What is known of machines by their streams, in whichever process: whether a machine is online, which addresses it
// hears as a hub, and the state of its own tunnels to hubs. Reports of a machine count only while it is online. They
// are kept as long as its stream, because it reports changes only, unless their peer or hub has left the fleet.
import type { InstanceId, PeerId } from '@powernode/core/ids';
import type {
  HubPathState,
  MachinePresence,
  TunnelReportCounts,
} from '@powernode/core/presence/evaluate-peer';
import type { ProbedMessage } from '@powernode/core/wire/node-stream';

export interface HeardReport {
  readonly heard: boolean;
  readonly sinceMs: number;
}

export interface PathReport {
  readonly state: HubPathState;
  readonly sinceMs: number;
}

interface Machine {
  /** Whose stream it is on, or was on last; null: on none since this process began. */
  process: string | null;
  state: MachinePresence['state'];
  onlineSinceMs: number | null;
  lastHeardMs: number | null;
  /** By the address of the one that is heard. */
  readonly heard: Map<string, HeardReport>;
  /** By the hub's peer. */
  readonly tunnels: Map<PeerId, PathReport>;
}

/** Called after a change. */
export interface EvidenceListener {
  readonly machine: (instanceId: InstanceId) => void;
  readonly heard: (instanceId: InstanceId, addresses: readonly string[]) => void;
  readonly tunnels: (instanceId: InstanceId, hubIds: readonly PeerId[]) => void;
}

const never: MachinePresence = { state: 'unknown', sinceMs: null };

export class Evidence {
  readonly #machines = new Map<InstanceId, Machine>();
  /** By the hub's peer: the machines that have reported on their tunnel to it. */
  readonly #reporters = new Map<PeerId, Set<InstanceId>>();
  readonly #listener: EvidenceListener;

  constructor(listener: EvidenceListener) {
    this.#listener = listener;
  }

  /** At a start: when it was last heard, by the rows. */
  load(instanceId: InstanceId, of: { readonly lastMs: number | null; readonly isOffline: boolean }): void {
    const machine = this.#of(instanceId);
    machine.lastHeardMs = of.lastMs;
    if (of.isOffline) machine.state = 'offline';
  }

  /** A stream of it began, or it is heard on it again. */
  online(
    process: string,
    instanceId: InstanceId,
    of: { readonly atMs: number; readonly isNew: boolean },
  ): void {
    const machine = this.#of(instanceId);
    if (of.isNew || machine.process !== process) this.#forgetReports(instanceId, machine);
    const isNews = machine.state !== 'online';
    machine.process = process;
    machine.state = 'online';
    machine.lastHeardMs = of.atMs;
    if (isNews) machine.onlineSinceMs = of.atMs;
    if (isNews || of.isNew) this.#listener.machine(instanceId);
  }

  /** `hasEnded`: its stream has ended. */
  offline(
    process: string,
    instanceId: InstanceId,
    of: { readonly lastMs: number; readonly hasEnded: boolean },
  ): void {
    const machine = this.#machines.get(instanceId);
    // Another process has it by now.
    if (machine === undefined || machine.process !== process) return;
    const isNews = machine.state !== 'offline';
    machine.state = 'offline';
    machine.lastHeardMs = of.lastMs;
    if (of.hasEnded) this.#forgetReports(instanceId, machine);
    if (isNews) this.#listener.machine(instanceId);
  }

  /** Nothing is known of those whose streams that process had. Answers whom this is about. */
  lostProcess(process: string): string[] {
    const lost: string[] = [];
    for (const [instanceId, machine] of this.#machines) {
      if (machine.process !== process) continue;
      machine.process = null;
      this.#forgetReports(instanceId, machine);
      if (machine.state !== 'online') continue;
      machine.state = 'unknown';
      lost.push(instanceId);
      this.#listener.machine(instanceId);
    }
    return lost;
  }

  /** Those that were given time to come back and did not. */
  graceOver(instanceIds: Iterable<InstanceId>): void {
    for (const instanceId of instanceIds) {
      const machine = this.#machines.get(instanceId);
      if (machine?.state !== 'unknown' || machine.lastHeardMs === null) continue;
      machine.state = 'offline';
      this.#listener.machine(instanceId);
    }
  }

  probed(process: string, instanceId: InstanceId, said: ProbeReports): void {
    const machine = this.#machines.get(instanceId);
    if (machine === undefined || machine.process !== process) return;
    for (const { address, heard, sinceMs } of said.heard) machine.heard.set(address, { heard, sinceMs });
    for (const { peerId, state, sinceMs } of said.tunnels) {
      machine.tunnels.set(peerId, { state, sinceMs });
      const reporters = this.#reporters.get(peerId) ?? new Set();
      this.#reporters.set(peerId, reporters.add(instanceId));
    }
    if (said.heard.length > 0)
      this.#listener.heard(
        instanceId,
        said.heard.map((one) => one.address),
      );
    if (said.tunnels.length > 0)
      this.#listener.tunnels(
        instanceId,
        said.tunnels.map((one) => one.peerId),
      );
  }

  /** Removes reports that a change of the fleet made outdated. Returns whether there were any. */
  drop(instanceId: InstanceId, of: Outdated): boolean {
    const machine = this.#machines.get(instanceId);
    if (machine === undefined) return false;
    const addresses = of.heard.filter((address) => machine.heard.delete(address));
    const hubIds = of.tunnels.filter((hubId) => machine.tunnels.delete(hubId));
    this.#dropped(instanceId, addresses, hubIds);
    return addresses.length + hubIds.length > 0;
  }

  /** Removes all reports of a machine, when its stream is of that process. */
  forgetReports(process: string, instanceId: InstanceId): void {
    const machine = this.#machines.get(instanceId);
    if (machine !== undefined && machine.process === process) this.#forgetReports(instanceId, machine);
  }

  forget(instanceId: InstanceId): void {
    const machine = this.#machines.get(instanceId);
    if (machine !== undefined) this.#forgetReports(instanceId, machine);
    this.#machines.delete(instanceId);
  }

  presence(instanceId: InstanceId): MachinePresence {
    const machine = this.#machines.get(instanceId);
    if (machine === undefined) return never;
    const { state, onlineSinceMs, lastHeardMs } = machine;
    return { state, sinceMs: state === 'online' ? onlineSinceMs : lastHeardMs };
  }

  lastHeardMs(instanceId: InstanceId): number | null {
    return this.#machines.get(instanceId)?.lastHeardMs ?? null;
  }

  isOnline(instanceId: InstanceId): boolean {
    return this.#machines.get(instanceId)?.state === 'online';
  }

  /** A hub's report on an address, while the hub is online. */
  heardBy(hubInstanceId: InstanceId, address: string): HeardReport | undefined {
    const hub = this.#machines.get(hubInstanceId);
    return hub?.state === 'online' ? hub.heard.get(address) : undefined;
  }

  /** Whether a hub hears any address; null: it has reported nothing. */
  hearsAny(hubInstanceId: InstanceId): boolean | null {
    const hub = this.#machines.get(hubInstanceId);
    if (hub === undefined || hub.state !== 'online' || hub.heard.size === 0) return null;
    for (const report of hub.heard.values()) if (report.heard) return true;
    return false;
  }

  /** How many addresses a hub hears, and how many it does not hear any more. */
  counts(hubInstanceId: InstanceId): { readonly heard: number; readonly silent: number } {
    let heard = 0;
    const reports = this.#machines.get(hubInstanceId)?.heard;
    for (const report of reports?.values() ?? []) if (report.heard) heard++;
    return { heard, silent: (reports?.size ?? 0) - heard };
  }

  tunnel(instanceId: InstanceId, hubPeerId: PeerId): PathReport | undefined {
    const machine = this.#machines.get(instanceId);
    return machine?.state === 'online' ? machine.tunnels.get(hubPeerId) : undefined;
  }

  /** What all online machines report on their tunnels to a hub. */
  tunnelReportCounts(hubPeerId: PeerId): TunnelReportCounts {
    const counts = { answers: 0, silent: 0, forwards_nothing: 0 };
    const since: Record<HubPathState, number | null> = {
      answers: null,
      silent: null,
      forwards_nothing: null,
    };
    for (const instanceId of this.#reporters.get(hubPeerId) ?? []) {
      const report = this.tunnel(instanceId, hubPeerId);
      if (report === undefined) continue;
      counts[report.state]++;
      since[report.state] = Math.max(since[report.state] ?? 0, report.sinceMs);
    }
    return {
      answers: counts.answers,
      silent: counts.silent,
      forwardsNothing: counts.forwards_nothing,
      silentSinceMs: since.silent,
      forwardsNothingSinceMs: since.forwards_nothing,
    };
  }

  /** All that is known of the streams of one process, for the others. */
  *of(process: string): Generator<MachineReport> {
    for (const instanceId of this.#machines.keys()) {
      const report = this.fullReport(process, instanceId);
      if (report !== null) yield report;
    }
  }

  /** The same of one machine; null: its stream is of another process. */
  fullReport(process: string, instanceId: InstanceId): MachineReport | null {
    const machine = this.#machines.get(instanceId);
    const report = this.summary(process, instanceId);
    if (machine === undefined || report === null) return null;
    return {
      ...report,
      isWhole: true,
      heard: Array.from(machine.heard, ([address, report]) => ({ address, ...report })),
      tunnels: Array.from(machine.tunnels, ([peerId, report]) => ({ peerId, ...report })),
    };
  }

  /** What is known of a machine, when its stream is of that process. */
  summary(
    process: string,
    instanceId: InstanceId,
  ): Omit<MachineReport, keyof ProbeReports | 'isWhole'> | null {
    const machine = this.#machines.get(instanceId);
    if (machine === undefined || machine.process !== process) return null;
    return { instanceId, isOnline: machine.state === 'online', atMs: machine.lastHeardMs ?? 0 };
  }

  /** The process that has the machine's stream; null: none is known. */
  holderOf(instanceId: InstanceId): string | null {
    const machine = this.#machines.get(instanceId);
    return machine?.state === 'online' ? machine.process : null;
  }

  /** It was on no stream that this process knows of. */
  isForeign(instanceId: InstanceId): boolean {
    return (this.#machines.get(instanceId)?.process ?? null) === null;
  }

  #of(instanceId: InstanceId): Machine {
    const known = this.#machines.get(instanceId);
    if (known !== undefined) return known;
    const machine: Machine = {
      process: null,
      state: 'unknown',
      onlineSinceMs: null,
      lastHeardMs: null,
      heard: new Map(),
      tunnels: new Map(),
    };
    this.#machines.set(instanceId, machine);
    return machine;
  }

  #forgetReports(instanceId: InstanceId, machine: Machine): void {
    const addresses = [...machine.heard.keys()];
    const hubIds = [...machine.tunnels.keys()];
    machine.heard.clear();
    machine.tunnels.clear();
    this.#dropped(instanceId, addresses, hubIds);
  }

  #dropped(instanceId: InstanceId, addresses: readonly string[], hubIds: readonly PeerId[]): void {
    for (const hubId of hubIds) {
      const reporters = this.#reporters.get(hubId);
      reporters?.delete(instanceId);
      if (reporters?.size === 0) this.#reporters.delete(hubId);
    }
    if (addresses.length > 0) this.#listener.heard(instanceId, addresses);
    if (hubIds.length > 0) this.#listener.tunnels(instanceId, hubIds);
  }
}

/** Results of a machine's probes, with times instead of durations. */
export interface ProbeReports {
  readonly heard: readonly ({ readonly address: string } & HeardReport)[];
  readonly tunnels: readonly ({ readonly peerId: PeerId } & PathReport)[];
}

/** One machine, as one process reports it to the others. */
export interface MachineReport extends ProbeReports {
  readonly instanceId: InstanceId;
  readonly isOnline: boolean;
  readonly atMs: number;
  /** Complete: earlier reports of the machine count no more. */
  readonly isWhole: boolean;
}

/** Keys of outdated reports: addresses that are heard, and hubs' peers. */
export interface Outdated {
  readonly heard: readonly string[];
  readonly tunnels: readonly string[];
}

export function probeReportsOf(message: ProbedMessage, nowMs: number): ProbeReports {
  return {
    heard: message.heard.map(({ address, heard, for_ms }) => ({ address, heard, sinceMs: nowMs - for_ms })),
    tunnels: message.paths.map(({ peer_id: peerId, state, for_ms }) => ({
      peerId,
      state,
      sinceMs: nowMs - for_ms,
    })),
  };
}
