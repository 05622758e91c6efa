// What the prober has to say to the rest of the agent and to the platform, and they to it.
import type { Logger } from 'pino';
import type { NodeStream } from '../link/stream.ts';
import type { DocumentIndex } from '../plan/document-index.ts';
import { concernsProber, proberConfigOf } from '../plan/prober-config.ts';
import type { Claim } from './leases.ts';
import type { ProberNews } from './messages.ts';
import type { Prober, StartProber } from './prober.ts';
import type { TargetReport } from './targets.ts';
import type { WatchChange } from './watches.ts';

export interface ProbingParts {
  readonly startProber: StartProber;
  readonly stream: NodeStream;
  readonly log: Logger;
  /** Paths are others than they were. */
  readonly news: (news: ProberNews) => void;
  /** What was said of paths is not to be relied on any more. */
  readonly restarted: () => void;
}

export class Probing {
  readonly #parts: ProbingParts;
  readonly #prober: Prober;
  /** What is known of peers that are watched for the platform. */
  readonly #watched = new Map<string, WatchChange>();
  readonly #leases = new Map<string, boolean>();

  constructor(parts: ProbingParts) {
    this.#parts = parts;
    this.#prober = parts.startProber({
      news: (news) => this.#news(news),
      hold: ({ sequence, leases }) => {
        // Later it would be worth nothing, so it is not kept for later.
        if (parts.stream.isOpen) parts.stream.send({ kind: 'hold', sequence, leases: [...leases] });
      },
      trouble: (detail) => parts.log.warn(detail),
      restarted: (why) => {
        parts.log.error({ why }, 'the prober ended and is started again');
        this.#watched.clear();
        this.#leases.clear();
        parts.restarted();
      },
    });
  }

  /** Virtual addresses that are leased, and whether this node may answer for them now. */
  get leases(): ReadonlyMap<string, boolean> {
    return this.#leases;
  }

  /** There is a new document, and only these entries may be others than before. */
  take(index: DocumentIndex, keys: ReadonlySet<string> | 'all'): void {
    if (!concernsProber(keys)) return;
    const config = proberConfigOf(index);
    const watched = new Set(config.watches.map((watch) => watch.peerId));
    for (const peerId of this.#watched.keys()) if (!watched.has(peerId)) this.#watched.delete(peerId);
    const leased = new Set(config.leases.map((lease) => lease.virtualIpId));
    for (const id of this.#leases.keys()) if (!leased.has(id)) this.#leases.delete(id);
    this.#prober.configure(config);
  }

  /** The stream has begun anew, so the platform is told everything. */
  greet(): void {
    this.#tellWatched([...this.#watched.values()]);
  }

  /** The platform's answer to `hold`. */
  held(answer: { readonly sequence: number; readonly leases: readonly Claim[] }): void {
    this.#prober.held(answer);
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
    for (const { tunnel, state } of news.tunnels) this.#parts.log.info({ tunnel, state }, 'path');
    for (const { address, state, detour } of news.sources) {
      this.#parts.log.debug({ address, state, detour }, 'heard');
    }
    for (const { virtualIpId, epoch, isHeld } of news.leases) {
      this.#leases.set(virtualIpId, isHeld);
      this.#parts.log.info({ virtualIpId, epoch }, isHeld ? 'lease begun' : 'lease over');
    }
    for (const change of news.watched) this.#watched.set(change.peerId, change);
    this.#tellWatched(news.watched);
    if (news.tunnels.length + news.sources.length > 0) this.#parts.news(news);
  }

  #tellWatched(changes: readonly WatchChange[]): void {
    if (changes.length === 0 || !this.#parts.stream.isOpen) return;
    const peers = changes.map(({ peerId, alive }) => ({ peer_id: peerId, alive }));
    const confirmed = this.#prober.confirmation(changes);
    this.#parts.stream.sendConfirmed({ kind: 'paths', peers }, confirmed);
  }
}
