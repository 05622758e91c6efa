// What the prober has to say to the rest of the agent and to the platform, and they to it.
import { probeIntervalMaxMs, proberRestartMs } from '@powernode/core/limits/probe';
import type { Logger } from 'pino';
import type { NodeStream } from '../link/stream.ts';
import { PathIndex } from '../plan/path-index.ts';
import { concernsProber, proberConfigOf } from '../plan/prober-config.ts';
import type { Clock } from '../ports/clock.ts';
import type { Claim } from '../probe/leases.ts';
import type { ProberNews } from '../probe/messages.ts';
import type { Prober, StartProber } from '../probe/prober.ts';
import type { TargetReport } from '../probe/targets.ts';
import type { WatchChange } from '../probe/watches.ts';
import type { MtuCaps } from '../subsystems/addresses/mtu.ts';
import { PathMtus } from './path-mtus.ts';
import { PresenceReport } from './presence-report.ts';
import type { NodeProblems } from './problems.ts';

export interface ProbingParts {
  readonly startProber: StartProber;
  readonly stream: NodeStream;
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
  readonly log: Logger;
  /** Paths are others than they were. */
  readonly news: (news: ProberNews) => void;
  /** What was said of paths is not to be relied on any more. */
  readonly restarted: () => void;
  readonly problems: Pick<NodeProblems, 'set'>;
  /** These interfaces are to have another MTU (`mtuCaps`). */
  readonly mtuChanged: (interfaces: readonly string[]) => void;
}

export class Probing {
  readonly #parts: ProbingParts;
  readonly #prober: Prober;
  /** What is known of peers that are watched for the platform. */
  readonly #watched = new Map<string, WatchChange>();
  readonly #leases = new Map<string, boolean>();
  readonly #presence: PresenceReport;
  readonly #mtus: PathMtus;
  #index = new PathIndex();

  constructor(parts: ProbingParts) {
    this.#parts = parts;
    this.#presence = new PresenceReport(() => parts.clock.monotonicMs());
    this.#mtus = new PathMtus({
      ...parts,
      index: () => this.#index,
      changed: (names) => {
        this.#prober.configure(proberConfigOf(this.#index, this.mtuCaps));
        parts.mtuChanged(names);
      },
    });
    this.#prober = parts.startProber({
      pathSize: (tunnel, size) => this.#mtus.found(tunnel, size),
      news: (news) => this.#news(news),
      leaseRenewal: ({ sequence, leases }) => {
        // Later it would be worth nothing, so it is not kept for later.
        if (parts.stream.isOpen) parts.stream.send({ kind: 'lease_renew', sequence, leases: [...leases] });
      },
      trouble: (detail) => parts.log.warn(detail),
      restarted: (why) => {
        parts.log.error({ why }, 'the prober ended and is started again');
        this.#watched.clear();
        this.#leases.clear();
        this.#presence.restarted();
        parts.clock.after(proberRestartMs + 2 * probeIntervalMaxMs, () => {
          this.#presence.giveUpUnconfirmed();
          this.#reportPresence();
        });
        parts.restarted();
      },
    });
  }

  /** Interfaces that are to have a lower MTU than the document says. */
  get mtuCaps(): MtuCaps {
    return this.#mtus.caps;
  }

  /** Virtual addresses that are leased, and whether this node may answer for them now. */
  get leases(): ReadonlyMap<string, boolean> {
    return this.#leases;
  }

  /** There is a new document, and only these entries may be others than before. */
  apply(index: PathIndex, keys: ReadonlySet<string> | 'all'): void {
    this.#presence.apply(index);
    if (!concernsProber(keys)) return;
    this.#index = index;
    this.#mtus.settle();
    const config = proberConfigOf(index, this.mtuCaps);
    const watched = new Set(config.watches.map((watch) => watch.peerId));
    for (const peerId of this.#watched.keys()) if (!watched.has(peerId)) this.#watched.delete(peerId);
    const leased = new Set(config.leases.map((lease) => lease.virtualIpId));
    for (const id of this.#leases.keys()) if (!leased.has(id)) this.#leases.delete(id);
    this.#prober.configure(config);
  }

  /** The stream has begun anew, so the platform is told everything. */
  greet(): void {
    this.#reportWatched([...this.#watched.values()]);
    this.#presence.startAnew();
    this.#reportPresence();
  }

  /** The platform's answer to `lease_renew`. */
  leaseAcknowledged(answer: { readonly sequence: number; readonly leases: readonly Claim[] }): void {
    this.#prober.leaseAck(answer);
  }

  /** Addresses that this node holds and that are not to be sent to it now; the whole list. */
  withhold(addresses: readonly string[]): void {
    this.#prober.withhold(addresses);
  }

  rulesLoading(): void {
    this.#prober.rulesLoading();
  }

  rulesLoaded(): void {
    this.#prober.rulesLoaded();
  }

  report(): Promise<readonly TargetReport[]> {
    return this.#prober.report();
  }

  stop(): Promise<void> {
    return this.#prober.stop();
  }

  #news(news: ProberNews): void {
    for (const { tunnel, state } of news.tunnels) {
      this.#parts.log.info({ tunnel, state }, 'path');
      // It may come back as another path.
      if (state === 'dead') this.#mtus.forget(tunnel);
    }
    for (const { address, state, backupVia } of news.sources) {
      this.#parts.log.debug({ address, state, backupVia }, 'heard');
    }
    for (const { virtualIpId, epoch, isHeld } of news.leases) {
      this.#leases.set(virtualIpId, isHeld);
      this.#parts.log.info({ virtualIpId, epoch }, isHeld ? 'lease begun' : 'lease over');
    }
    for (const { holder, roundTripMs, withheld } of news.holders) {
      this.#parts.log.debug({ holder, roundTripMs, withheld }, 'holder');
    }
    for (const change of news.watched) this.#watched.set(change.peerId, change);
    this.#reportWatched(news.watched);
    this.#presence.note(news);
    this.#reportPresence();
    // The others say nothing about where packets go.
    if (news.tunnels.length + news.sources.length + news.holders.length > 0) this.#parts.news(news);
  }

  #reportPresence(): void {
    if (!this.#parts.stream.isOpen) return;
    for (const frame of this.#presence.news()) this.#parts.stream.send(frame);
  }

  #reportWatched(changes: readonly WatchChange[]): void {
    if (changes.length === 0 || !this.#parts.stream.isOpen) return;
    const peers = changes.map(({ peerId, alive }) => ({ peer_id: peerId, alive }));
    const confirmed = this.#prober.confirmation(changes);
    this.#parts.stream.sendConfirmed({ kind: 'paths', peers }, confirmed);
  }
}
