// What is known of nodes that matter to virtual IPs, whichever process has their stream: whether they are connected,
// what they have applied, what hubs report of peers, and what holders find by their health checks. A node has one stream,
// but a process may not know yet that it has ended: so there may be several observations of one node, and alive counts
// more than dead.
import type { InstanceId, PeerId } from '@powernode/core/ids';
import { healthChecksPerFrameMax } from '@powernode/core/limits/anycast';
import type { CheckReport, HubReport } from '@powernode/core/virtual-ips/state';

import { isExpired } from '../../coordination/gossip.ts';
import type { Held } from '../../deliver/nodes/node-state.ts';
import type { NodeReport } from '../../events/failover-gossip.ts';

interface Observation {
  readonly stream: string;
  readonly openedMs: number;
  receivedMs: number;
  applied: Held | null;
  readonly words: Map<PeerId, { readonly alive: boolean; readonly sinceMs: number }>;
  /** By virtual IP. */
  readonly checks: Map<string, CheckReport>;
}

/** Called after something has changed. */
export interface ObservationListener {
  /** Whether the node is connected, or what it has applied. */
  readonly instanceChanged: (instanceId: InstanceId) => void;
  readonly reported: (instanceId: InstanceId, peerId: PeerId) => void;
  readonly checked: (instanceId: InstanceId, virtualIpId: string) => void;
}

export class NodeObservations {
  /** By machine, and by the process that has its stream. */
  readonly #observed = new Map<InstanceId, Map<string, Observation>>();
  readonly #steady: () => number;
  listener: ObservationListener = {
    instanceChanged: () => undefined,
    reported: () => undefined,
    checked: () => undefined,
  };

  /** `steady`: milliseconds of a clock that never jumps. */
  constructor(steady: () => number) {
    this.#steady = steady;
  }

  see(process: string, report: NodeReport): void {
    const { instanceId, stream, applied, words, checks } = report;
    const now = this.#steady();
    const before = this.#observed.get(instanceId)?.get(process);
    if (before !== undefined && before.stream !== stream) this.#drop(instanceId, process);
    const known = before?.stream === stream ? before : undefined;
    const observation: Observation = known ?? {
      stream,
      openedMs: now,
      receivedMs: now,
      applied,
      words: new Map(),
      checks: new Map(),
    };
    const isNews = known === undefined || !isSame(known.applied, applied);
    observation.receivedMs = now;
    observation.applied = applied;
    const of = this.#observed.get(instanceId) ?? new Map<string, Observation>();
    this.#observed.set(instanceId, of.set(process, observation));
    if (isNews) this.listener.instanceChanged(instanceId);
    for (const word of words) this.#say(instanceId, observation, word);
    if (checks === undefined) return;
    // Those of other processes are whole: a check that is not among them is over.
    const found = new Map(checks.map(({ virtualIpId, check }) => [virtualIpId, check]));
    for (const virtualIpId of [...observation.checks.keys(), ...found.keys()])
      this.#check(instanceId, observation, { virtualIpId, check: found.get(virtualIpId) ?? null });
  }

  /** A report of a node on the stream of this process. */
  say(
    process: string,
    instanceId: InstanceId,
    word: { readonly peerId: PeerId; readonly alive: boolean },
  ): void {
    const observation = this.#observed.get(instanceId)?.get(process);
    if (observation !== undefined) this.#say(instanceId, observation, word);
  }

  /** What a health check of a node on the stream of this process found; null: there is no such check any more. */
  check(
    process: string,
    instanceId: InstanceId,
    found: { readonly virtualIpId: string; readonly check: CheckReport | null },
  ): void {
    const observation = this.#observed.get(instanceId)?.get(process);
    if (observation !== undefined) this.#check(instanceId, observation, found);
  }

  left(process: string, instanceId: InstanceId, stream: string): void {
    if (this.#observed.get(instanceId)?.get(process)?.stream === stream) this.#drop(instanceId, process);
  }

  /** The process has streams of these nodes only. */
  only(process: string, reports: readonly NodeReport[]): void {
    const streams = new Set(reports.map(({ stream }) => stream));
    for (const [instanceId, of] of this.#observed) {
      const observation = of.get(process);
      if (observation !== undefined && !streams.has(observation.stream)) this.#drop(instanceId, process);
    }
    for (const report of reports) this.see(process, report);
  }

  /** Forgets what another process has not repeated for long. */
  expire(self: string): void {
    const now = this.#steady();
    for (const [instanceId, of] of this.#observed) {
      for (const [process, { receivedMs }] of of) {
        if (process !== self && isExpired(receivedMs, now)) this.#drop(instanceId, process);
      }
    }
  }

  isConnected(instanceId: InstanceId): boolean {
    return (this.#observed.get(instanceId)?.size ?? 0) > 0;
  }

  applied(instanceId: InstanceId): Held | null {
    let newest: Held | null = null;
    for (const { applied } of this.#observed.get(instanceId)?.values() ?? []) {
      if (applied !== null && (newest === null || applied.revision > newest.revision)) newest = applied;
    }
    return newest;
  }

  reportOn(instanceId: InstanceId, peerId: PeerId): HubReport | null {
    let word: HubReport | null = null;
    for (const { openedMs, words } of this.#observed.get(instanceId)?.values() ?? []) {
      const said = words.get(peerId);
      if (said === undefined) continue;
      const one = { reachable: said.alive, sinceMs: said.sinceMs, streamOpenedMs: openedMs };
      word = word === null ? one : merged(word, one);
    }
    return word;
  }

  /** A failure counts when every stream of the node that says something says so. */
  checkOf(instanceId: InstanceId, virtualIpId: string): CheckReport | null {
    const all = Array.from(this.#observed.get(instanceId)?.values() ?? [], ({ checks }) =>
      checks.get(virtualIpId),
    );
    const said = all.filter((one) => one !== undefined);
    return said.find(({ health }) => health !== 'failing') ?? said[0] ?? null;
  }

  /** The streams that the node may be on. */
  streamsOf(instanceId: InstanceId): { readonly process: string; readonly stream: string }[] {
    return Array.from(this.#observed.get(instanceId) ?? [], ([process, { stream }]) => ({ process, stream }));
  }

  /** What this process hears of a node. */
  report(process: string, instanceId: InstanceId): NodeReport | null {
    const observation = this.#observed.get(instanceId)?.get(process);
    if (observation === undefined) return null;
    const words = Array.from(observation.words, ([peerId, { alive }]) => ({ peerId, alive }));
    const checks = Array.from(observation.checks, ([virtualIpId, check]) => ({ virtualIpId, check }));
    const { stream, applied } = observation;
    return { instanceId, stream, applied, words, checks };
  }

  instancesOf(process: string): InstanceId[] {
    return [...this.#observed].flatMap(([instanceId, of]) => (of.has(process) ? [instanceId] : []));
  }

  #say(
    instanceId: InstanceId,
    observation: Observation,
    { peerId, alive }: { peerId: PeerId; alive: boolean },
  ): void {
    if (observation.words.get(peerId)?.alive === alive) return;
    observation.words.set(peerId, { alive, sinceMs: this.#steady() });
    this.listener.reported(instanceId, peerId);
  }

  #check(
    instanceId: InstanceId,
    { checks }: Observation,
    { virtualIpId, check }: { readonly virtualIpId: string; readonly check: CheckReport | null },
  ): void {
    const known = checks.get(virtualIpId) ?? null;
    if (known?.health === check?.health && known?.lastError === check?.lastError) return;
    if (check === null) checks.delete(virtualIpId);
    else if (known !== null || checks.size < healthChecksPerFrameMax) checks.set(virtualIpId, check);
    this.listener.checked(instanceId, virtualIpId);
  }

  #drop(instanceId: InstanceId, process: string): void {
    const of = this.#observed.get(instanceId);
    const observation = of?.get(process);
    if (of === undefined || observation === undefined) return;
    of.delete(process);
    if (of.size === 0) this.#observed.delete(instanceId);
    for (const peerId of observation.words.keys()) this.listener.reported(instanceId, peerId);
    for (const virtualIpId of observation.checks.keys()) this.listener.checked(instanceId, virtualIpId);
    this.listener.instanceChanged(instanceId);
  }
}

function isSame(a: Held | null, b: Held | null): boolean {
  return a?.hash === b?.hash && a?.revision === b?.revision;
}

function merged(a: HubReport, b: HubReport): HubReport {
  if (a.reachable !== b.reachable) return a.reachable ? a : b;
  return {
    reachable: a.reachable,
    sinceMs: Math.max(a.sinceMs, b.sinceMs),
    streamOpenedMs: Math.max(a.streamOpenedMs, b.streamOpenedMs),
  };
}
