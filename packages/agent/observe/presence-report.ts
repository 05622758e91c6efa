// What the platform is told of what probes say: whom this hub hears, and how the node's own tunnels to hubs do.
// Everything once after each hello, then what changed.
import { probedForMsMax, probedPathsMax, probedPerFrameMax } from '@powernode/core/limits/presence';
import { probeSourcesMax } from '@powernode/core/limits/probe';
import type { HubPathState } from '@powernode/core/presence/evaluate-peer';
import type { ProbedMessage } from '@powernode/core/wire/node-stream';
import type { PathIndex } from '../plan/path-index.ts';
import type { ProberNews } from '../probe/messages.ts';
import { isHeard } from '../probe/path-state.ts';

interface Since {
  readonly sinceMs: number;
  isReported: boolean;
}

interface Source extends Since {
  readonly heard: boolean;
}

interface Tunnel extends Since {
  readonly state: HubPathState;
}

export class PresenceReport {
  readonly #nowMs: () => number;
  #index: PathIndex | null = null;
  /** By address. */
  readonly #sources = new Map<string, Source>();
  /** By the key of the peer's entry. */
  readonly #tunnels = new Map<string, Tunnel>();
  /** Addresses of which the present prober has said nothing. */
  #unconfirmed = new Set<string>();

  /** `nowMs`: of a clock that never jumps. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** There is a new document. */
  apply(index: PathIndex): void {
    this.#index = index;
    for (const tunnel of this.#tunnels.keys()) {
      if (index.peer(tunnel) === undefined) this.#tunnels.delete(tunnel);
    }
  }

  note(news: Pick<ProberNews, 'sources' | 'paths'>): void {
    const nowMs = this.#nowMs();
    for (const { address, state, backupVia, silentMs } of news.sources) {
      this.#unconfirmed.delete(address);
      // Heard by way of another hub is heard.
      const heard = isHeard(state) || backupVia !== null;
      const before = this.#sources.get(address);
      if (before?.heard === heard) continue;
      // One that was never heard straight, and one that is forgotten after a long silence, is no news.
      if (before === undefined && !heard && state === 'untried') continue;
      if (before === undefined && this.#sources.size >= probeSourcesMax) continue;
      this.#sources.set(address, { heard, sinceMs: heard ? nowMs : nowMs - silentMs, isReported: false });
    }
    for (const { tunnel, state, forMs } of news.paths) {
      this.#tunnels.set(tunnel, { state, sinceMs: nowMs - forMs, isReported: false });
    }
  }

  /** The prober begins anew, and says only what it hears. */
  restarted(): void {
    this.#unconfirmed = new Set(this.#sources.keys());
    this.#tunnels.clear();
  }

  /** Long enough after that: whoever was heard before and was not heard again is silent. */
  giveUpUnconfirmed(): void {
    for (const address of this.#unconfirmed) {
      const source = this.#sources.get(address);
      if (source?.heard === true) this.#sources.set(address, { ...source, heard: false, isReported: false });
    }
    this.#unconfirmed.clear();
  }

  /** A new stream: the platform knows nothing. */
  startAnew(): void {
    for (const one of this.#sources.values()) one.isReported = false;
    for (const one of this.#tunnels.values()) one.isReported = false;
  }

  /** The frames to send now; what is in them counts as told. */
  news(): ProbedMessage[] {
    const nowMs = this.#nowMs();
    const heard: ProbedMessage['heard'] = [];
    for (const [address, source] of this.#sources) {
      if (source.isReported) continue;
      source.isReported = true;
      heard.push({ address, heard: source.heard, for_ms: forMs(source, nowMs) });
    }
    const paths = this.#newPaths(nowMs);
    const frames: ProbedMessage[] = [];
    while (heard.length + paths.length > 0) {
      frames.push({
        kind: 'probed',
        heard: heard.splice(0, probedPerFrameMax),
        paths: paths.splice(0, probedPathsMax),
      });
    }
    return frames;
  }

  #newPaths(nowMs: number): ProbedMessage['paths'] {
    const paths: ProbedMessage['paths'] = [];
    for (const [key, tunnel] of this.#tunnels) {
      const peer = this.#index?.peer(key);
      const network = this.#index?.interfaces.get(peer?.interface ?? '')?.network_id;
      if (tunnel.isReported || peer === undefined || network === undefined) continue;
      tunnel.isReported = true;
      paths.push({
        network_id: network,
        peer_id: peer.peer_id,
        state: tunnel.state,
        for_ms: forMs(tunnel, nowMs),
      });
    }
    return paths;
  }
}

function forMs({ sinceMs }: Since, nowMs: number): number {
  return Math.min(Math.max(Math.round(nowMs - sinceMs), 0), probedForMsMax);
}
