// Exchanges presence with the other processes of the platform: publishes reports of this one's streams, applies theirs.
import type { InstanceId, PeerId } from '@powernode/core/ids';
import { presenceGossipMax } from '@powernode/core/limits/presence';
import { Gossip, isBeatDue, isExpired } from '../../coordination/gossip.ts';
import type { EventBus } from '../../events/event-bus.ts';
import type { PresenceGossip as Message } from '../../events/presence-gossip.ts';
import type { Clock } from '../../trust/clock.ts';
import type { Evidence, HeardReport, MachineReport, PathReport, ProbeReports } from './evidence.ts';

export interface PresenceGossipParts {
  readonly processId: string;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly evidence: Evidence;
  /** Nothing is known of these machines any more: their process has ended or cannot be reached. */
  readonly lost: (instanceIds: readonly InstanceId[]) => void;
}

/** The reports of a machine since the last turn. */
interface Fresh {
  /** All reports are to be published: its stream is new, or some reports are outdated. */
  readonly isWhole: boolean;
  readonly heard: Map<string, HeardReport>;
  readonly tunnels: Map<PeerId, PathReport>;
}

interface Known {
  /** The number of its last message. */
  readonly number: number;
  /** By a clock that nobody sets, as all silence is. */
  readonly heardMs: number;
}

export class PresenceGossip {
  readonly #parts: PresenceGossipParts;
  readonly #others = new Map<string, Known>();
  readonly #changed = new Map<string, Fresh>();
  readonly #ended = new Set<string>();
  #number = 0;
  #publishedMs = Number.NEGATIVE_INFINITY;
  #isWholeWanted = false;
  readonly #gossip: Gossip<Message>;

  constructor(parts: PresenceGossipParts) {
    this.#parts = parts;
    this.#gossip = new Gossip({
      processId: parts.processId,
      bus: parts.bus,
      pack: (presence) => ({ kind: 'presence', presence }),
      unpack: (message) => (message.kind === 'presence' ? message.presence : null),
      received: (message) => this.#onGossip(message),
    });
  }

  /** What is known of a machine on a stream of this process is other than before. */
  changed(instanceId: InstanceId, reports?: ProbeReports): void {
    // No other process is known; one that comes later gets everything.
    if (this.#others.size === 0) return;
    const fresh = this.#changed.get(instanceId) ?? { isWhole: false, heard: new Map(), tunnels: new Map() };
    this.#changed.set(instanceId, fresh);
    for (const { address, ...report } of reports?.heard ?? []) fresh.heard.set(address, report);
    for (const { peerId, ...report } of reports?.tunnels ?? []) fresh.tunnels.set(peerId, report);
  }

  /** Its stream is new, or reports of it are outdated: the other processes must forget its earlier reports. */
  renewed(instanceId: InstanceId): void {
    if (this.#others.size === 0) return;
    // A stream that ended since the last turn has this successor, so its end is not published.
    this.#ended.delete(instanceId);
    this.#changed.set(instanceId, { isWhole: true, heard: new Map(), tunnels: new Map() });
  }

  ended(instanceId: InstanceId): void {
    this.#changed.delete(instanceId);
    if (this.#others.size > 0) this.#ended.add(instanceId);
  }

  /** Publishes the changes since the last turn; once a second also an empty message. */
  tick(): void {
    const nowMs = this.#parts.clock.steady();
    this.#expire(nowMs);
    if (this.#isWholeWanted) this.#publishAll();
    if (!isBeatDue(this.#publishedMs, nowMs) && this.#changed.size + this.#ended.size === 0) return;
    this.#publishReports(this.#changedReports(), [...this.#ended], false);
    this.#changed.clear();
    this.#ended.clear();
  }

  close(): void {
    this.#gossip.publish({ about: 'ends', from: this.#parts.processId });
    this.#gossip.close();
  }

  #changedReports(): MachineReport[] {
    const found: MachineReport[] = [];
    const { evidence, processId } = this.#parts;
    for (const [instanceId, fresh] of this.#changed) {
      if (fresh.isWhole) {
        const whole = evidence.fullReport(processId, instanceId);
        if (whole !== null) found.push(whole);
        continue;
      }
      const heard = Array.from(fresh.heard, ([address, report]) => ({ address, ...report }));
      const tunnels = Array.from(fresh.tunnels, ([peerId, report]) => ({ peerId, ...report }));
      const report = evidence.summary(processId, instanceId);
      if (report !== null) found.push({ ...report, isWhole: false, heard, tunnels });
    }
    return found;
  }

  #publishAll(): void {
    this.#isWholeWanted = false;
    this.#changed.clear();
    this.#ended.clear();
    const all = [...this.#parts.evidence.of(this.#parts.processId)];
    this.#publishReports(all.slice(0, presenceGossipMax), [], true);
    for (let at = presenceGossipMax; at < all.length; at += presenceGossipMax) {
      this.#publishReports(all.slice(at, at + presenceGossipMax), [], false);
    }
  }

  #publishReports(reports: MachineReport[], ended: string[], isWhole: boolean): void {
    this.#publishedMs = this.#parts.clock.steady();
    const parts = Math.max(Math.ceil(Math.max(reports.length, ended.length) / presenceGossipMax), 1);
    for (let part = 0; part < parts; part++) {
      const at = part * presenceGossipMax;
      this.#gossip.publish({
        about: 'said',
        from: this.#parts.processId,
        number: ++this.#number,
        isWhole: isWhole && part === 0,
        reports: reports.slice(at, at + presenceGossipMax).map(plain),
        gone: ended.slice(at, at + presenceGossipMax),
      });
    }
  }

  #onGossip(said: Message): void {
    const { evidence, lost, clock } = this.#parts;
    if (said.about === 'wanted') {
      this.#isWholeWanted = true;
      return;
    }
    if (said.about === 'ends') {
      this.#others.delete(said.from);
      return lost(evidence.lostProcess(said.from));
    }
    const known = this.#others.get(said.from);
    this.#others.set(said.from, { number: said.number, heardMs: clock.steady() });
    if (known === undefined) {
      // The other process is new here, and does not know this one either.
      this.#isWholeWanted = true;
    }
    if (!said.isWhole && known?.number !== said.number - 1) {
      return this.#gossip.publish({ about: 'wanted', to: said.from });
    }
    if (said.isWhole) this.#applyWhole(said.from, said.reports);
    for (const report of said.reports) this.#apply(said.from, report);
    for (const instanceId of said.gone) {
      const lastMs = evidence.lastHeardMs(instanceId) ?? clock.now();
      evidence.offline(said.from, instanceId, { lastMs, hasEnded: true });
    }
  }

  /** Machines that a complete message does not name have left that process meanwhile. */
  #applyWhole(process: string, reports: readonly MachineReport[]): void {
    const { evidence } = this.#parts;
    const named = new Set(reports.map((report) => report.instanceId));
    const left = [...evidence.of(process)].filter(({ instanceId }) => !named.has(instanceId));
    for (const { instanceId, atMs } of left)
      evidence.offline(process, instanceId, { lastMs: atMs, hasEnded: true });
  }

  #apply(process: string, report: MachineReport): void {
    const { evidence } = this.#parts;
    const { instanceId, atMs } = report;
    if (report.isOnline) evidence.online(process, instanceId, { atMs, isNew: false });
    else evidence.offline(process, instanceId, { lastMs: atMs, hasEnded: false });
    if (report.isWhole) evidence.forgetReports(process, instanceId);
    evidence.probed(process, instanceId, report);
  }

  #expire(nowMs: number): void {
    for (const [process, known] of this.#others) {
      if (!isExpired(known.heardMs, nowMs)) continue;
      this.#others.delete(process);
      this.#parts.lost(this.#parts.evidence.lostProcess(process));
    }
  }
}

function plain({ instanceId, isOnline, atMs, isWhole, heard, tunnels }: MachineReport) {
  return { instanceId, isOnline, atMs, isWhole, heard: [...heard], tunnels: [...tunnels] };
}
