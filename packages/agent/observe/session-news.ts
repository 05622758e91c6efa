// Which sessions of BGP the platform is told of: those that differ from what it was told, and those that are no more.
import { sessionsPerFrameMax } from '@powernode/core/limits/routing';
import type { BgpSessionObservation } from '@powernode/core/wire/node-stream';

export class SessionNews {
  /** What was told, by network and peer, with its text. */
  readonly #told = new Map<string, { readonly session: BgpSessionObservation; readonly text: string }>();

  /** The platform knows nothing. */
  startAnew(): void {
    this.#told.clear();
  }

  /** As many as a frame holds; they count as told. */
  of(sessions: readonly BgpSessionObservation[]): BgpSessionObservation[] {
    const fresh: BgpSessionObservation[] = [];
    const present = new Set(sessions.map(keyOf));
    for (const [key, { session }] of this.#told) {
      if (fresh.length === sessionsPerFrameMax) break;
      if (present.has(key)) continue;
      this.#told.delete(key);
      const { network_id, peer_id } = session;
      fresh.push({ network_id, peer_id, ...gone });
    }
    for (const session of sessions) {
      const text = JSON.stringify(session);
      const key = keyOf(session);
      if (fresh.length === sessionsPerFrameMax || this.#told.get(key)?.text === text) continue;
      this.#told.set(key, { session, text });
      fresh.push(session);
    }
    return fresh;
  }
}

const gone = { state: null, established_at: null, prefixes_received: 0, last_error: null };

function keyOf({ network_id, peer_id }: BgpSessionObservation): string {
  return `${network_id} ${peer_id}`;
}
