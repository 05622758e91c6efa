// The other processes of the platform: tells them what is heard on the streams of this one, and takes what they tell.
import type { InstanceId, PeerId } from '@powernode/core/ids';
import { hearsayBeatMs, hearsayExpiryMs, presenceGossipMax } from '@powernode/core/limits';
import type { EventBus } from '../../events/event-bus.ts';
import type { PresenceGossip as Gossip } from '../../events/presence-gossip.ts';
import type { Clock } from '../../trust/clock.ts';
import type { Evidence, HeardWord, Telling, TunnelWord, Words } from './evidence.ts';

export interface PresenceGossipParts {
  readonly processId: string;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly evidence: Evidence;
  /** Nothing is known of these machines any more: their process has ended, or is cut off. */
  readonly lost: (instanceIds: readonly InstanceId[]) => void;
}

/** What a machine has said since the last turn. */
interface Fresh {
  /** All that it has said is to be told: it began anew, or some of it counts no more. */
  readonly isWhole: boolean;
  readonly heard: Map<string, HeardWord>;
  readonly tunnels: Map<PeerId, TunnelWord>;
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
  readonly #gone = new Set<string>();
  #number = 0;
  #saidMs = Number.NEGATIVE_INFINITY;
  #isWholeWanted = false;
  readonly #unsubscribe: () => void;

  constructor(parts: PresenceGossipParts) {
    this.#parts = parts;
    this.#unsubscribe = parts.bus.subscribe((message) => {
      if (message.kind === 'presence') this.#hear(message.presence);
    });
  }

  /** What is known of a machine on a stream of this process is other than before. */
  changed(instanceId: InstanceId, words?: Words): void {
    // Nobody else is there as far as is known; whoever comes is told everything.
    if (this.#others.size === 0) return;
    const fresh = this.#changed.get(instanceId) ?? { isWhole: false, heard: new Map(), tunnels: new Map() };
    this.#changed.set(instanceId, fresh);
    for (const { address, ...word } of words?.heard ?? []) fresh.heard.set(address, word);
    for (const { peerId, ...word } of words?.tunnels ?? []) fresh.tunnels.set(peerId, word);
  }

  /** A stream of it began, or words of it count no more: the others are to forget what they know of its words. */
  renewed(instanceId: InstanceId): void {
    if (this.#others.size === 0) return;
    // A stream that ended since the last turn has this successor, and the others need not hear of that.
    this.#gone.delete(instanceId);
    this.#changed.set(instanceId, { isWhole: true, heard: new Map(), tunnels: new Map() });
  }

  gone(instanceId: InstanceId): void {
    this.#changed.delete(instanceId);
    if (this.#others.size > 0) this.#gone.add(instanceId);
  }

  /** Tells what changed since the last turn; once a second also that nothing did. */
  tick(): void {
    const nowMs = this.#parts.clock.steady();
    this.#expire(nowMs);
    if (this.#isWholeWanted) this.#sayAll();
    const isDue = nowMs - this.#saidMs >= hearsayBeatMs;
    if (!isDue && this.#changed.size + this.#gone.size === 0) return;
    this.#say(this.#tellings(), [...this.#gone], false);
    this.#changed.clear();
    this.#gone.clear();
  }

  close(): void {
    this.#unsubscribe();
    this.#publish({ about: 'ends', from: this.#parts.processId });
  }

  #tellings(): Telling[] {
    const found: Telling[] = [];
    const { evidence, processId } = this.#parts;
    for (const [instanceId, fresh] of this.#changed) {
      if (fresh.isWhole) {
        const whole = evidence.whole(processId, instanceId);
        if (whole !== null) found.push(whole);
        continue;
      }
      const heard = Array.from(fresh.heard, ([address, word]) => ({ address, ...word }));
      const tunnels = Array.from(fresh.tunnels, ([peerId, word]) => ({ peerId, ...word }));
      const telling = evidence.telling(processId, instanceId);
      if (telling !== null) found.push({ ...telling, isWhole: false, heard, tunnels });
    }
    return found;
  }

  #sayAll(): void {
    this.#isWholeWanted = false;
    this.#changed.clear();
    this.#gone.clear();
    const all = [...this.#parts.evidence.of(this.#parts.processId)];
    this.#say(all.slice(0, presenceGossipMax), [], true);
    for (let at = presenceGossipMax; at < all.length; at += presenceGossipMax) {
      this.#say(all.slice(at, at + presenceGossipMax), [], false);
    }
  }

  #say(tellings: Telling[], gone: string[], isWhole: boolean): void {
    this.#saidMs = this.#parts.clock.steady();
    const parts = Math.max(Math.ceil(Math.max(tellings.length, gone.length) / presenceGossipMax), 1);
    for (let part = 0; part < parts; part++) {
      const at = part * presenceGossipMax;
      this.#publish({
        about: 'said',
        from: this.#parts.processId,
        number: ++this.#number,
        isWhole: isWhole && part === 0,
        tellings: tellings.slice(at, at + presenceGossipMax).map(plain),
        gone: gone.slice(at, at + presenceGossipMax),
      });
    }
  }

  #hear(said: Gossip): void {
    const { processId, evidence, lost, clock } = this.#parts;
    if (said.about === 'wanted') {
      if (said.to === processId) this.#isWholeWanted = true;
      return;
    }
    if (said.from === processId) return;
    if (said.about === 'ends') {
      this.#others.delete(said.from);
      return lost(evidence.lostProcess(said.from));
    }
    const known = this.#others.get(said.from);
    this.#others.set(said.from, { number: said.number, heardMs: clock.steady() });
    if (known === undefined) {
      // It has not told this process anything yet, and knows nothing of it.
      this.#isWholeWanted = true;
    }
    if (!said.isWhole && known?.number !== said.number - 1) {
      return this.#publish({ about: 'wanted', to: said.from });
    }
    if (said.isWhole) this.#whole(said.from, said.tellings);
    for (const telling of said.tellings) this.#take(said.from, telling);
    for (const instanceId of said.gone) {
      const lastMs = evidence.lastHeardMs(instanceId) ?? clock.now();
      evidence.offline(said.from, instanceId, { lastMs, isGone: true });
    }
  }

  /** Those that it does not name any more have left it meanwhile. */
  #whole(process: string, tellings: readonly Telling[]): void {
    const { evidence } = this.#parts;
    const named = new Set(tellings.map((telling) => telling.instanceId));
    const left = [...evidence.of(process)].filter(({ instanceId }) => !named.has(instanceId));
    for (const { instanceId, atMs } of left)
      evidence.offline(process, instanceId, { lastMs: atMs, isGone: true });
  }

  #take(process: string, telling: Telling): void {
    const { evidence } = this.#parts;
    const { instanceId, atMs } = telling;
    if (telling.isOnline) evidence.online(process, instanceId, { atMs, isNew: false });
    else evidence.offline(process, instanceId, { lastMs: atMs, isGone: false });
    if (telling.isWhole) evidence.forgetWords(process, instanceId);
    evidence.probed(process, instanceId, telling);
  }

  #expire(nowMs: number): void {
    for (const [process, known] of this.#others) {
      if (nowMs - known.heardMs < hearsayExpiryMs) continue;
      this.#others.delete(process);
      this.#parts.lost(this.#parts.evidence.lostProcess(process));
    }
  }

  #publish(presence: Gossip): void {
    this.#parts.bus.publish({ kind: 'presence', presence });
  }
}

function plain({ instanceId, isOnline, atMs, isWhole, heard, tunnels }: Telling) {
  return { instanceId, isOnline, atMs, isWhole, heard: [...heard], tunnels: [...tunnels] };
}
