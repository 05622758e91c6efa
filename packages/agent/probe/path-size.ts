// The largest packet that passes a path, found with padded probes: a path whose MTU is below what the tunnel needs,
// and that tells nobody (ICMP is filtered), carries pings and stops transfers. Measured once the path is alive, again
// when it comes back, and then rarely. Without sockets and without a clock of its own.
import {
  pathSizeAgainMs,
  pathSizeFirstTries,
  pathSizeFloor,
  pathSizeStep,
  pathSizeTries,
  pathSizeWaitMs,
} from '@powernode/core/limits/probe';

/** What was found of one path. Bytes of IP packets inside the overlay. */
export interface PathSizeResult {
  /** As much as the interface allows: nothing is lost. */
  readonly isWhole: boolean;
  readonly bytes: number;
  /** Not even what IPv6 needs passes. */
  readonly isBelowFloor: boolean;
}

/** How small probes of the path do: answered; missing lately, by loss or by a busy machine; dead. */
export type SmallProbes = 'answered' | 'missing' | 'dead';

export class PathSize {
  #mtu: number;
  /** Known to pass, and known not to. */
  #passes = 0;
  #fails: number;
  #pending: { readonly bytes: number; tries: number; sentAtMs: number } | null = null;
  #isDone = false;
  #wasAlive = false;
  #doneAtMs = Number.NEGATIVE_INFINITY;
  /** Something smaller than the whole was found, and the whole was tried once more before that is believed. */
  #isConfirmed = false;

  constructor(mtu: number) {
    this.#mtu = mtu;
    this.#fails = mtu + 1;
  }

  /** The interface has another MTU: what it allows now is what has to pass. */
  configure(mtu: number): void {
    if (mtu === this.#mtu) return;
    const isKnownToPass = this.#passes >= mtu;
    this.#mtu = mtu;
    if (isKnownToPass) this.#fails = mtu + 1;
    else this.#restart();
  }

  /** The size of the probe to send now, of the whole packet; null: none. */
  due(nowMs: number, path: SmallProbes): number | null {
    if (path === 'dead') {
      // A path that comes back may be another one.
      this.#pending = null;
      this.#wasAlive = false;
      return null;
    }
    if (path === 'missing') {
      // What is not answered now says nothing of sizes: the try does not count.
      if (this.#pending !== null && nowMs - this.#pending.sentAtMs < pathSizeWaitMs) {
        this.#pending.tries--;
        this.#pending.sentAtMs = Number.NEGATIVE_INFINITY;
      }
      return null;
    }
    if (!this.#wasAlive || (this.#isDone && nowMs - this.#doneAtMs >= pathSizeAgainMs)) this.#restart();
    this.#wasAlive = true;
    if (this.#isDone) return null;
    const asked = this.#pending ?? { bytes: this.#next(), tries: 0, sentAtMs: Number.NEGATIVE_INFINITY };
    this.#pending = asked;
    if (nowMs - asked.sentAtMs < pathSizeWaitMs) return null;
    if (asked.tries >= this.#triesFor(asked.bytes)) {
      this.#fails = Math.min(this.#fails, asked.bytes);
      this.#pending = null;
      return null;
    }
    asked.tries++;
    asked.sentAtMs = nowMs;
    return asked.bytes;
  }

  /** A probe of that size was answered in the same size. */
  answered(bytes: number): void {
    if (bytes > this.#mtu) return;
    this.#passes = Math.max(this.#passes, bytes);
    if (this.#fails <= this.#passes) this.#fails = this.#mtu + 1;
    if (this.#pending !== null && bytes >= this.#pending.bytes) this.#pending = null;
  }

  /** What was found, once; null: nothing new. */
  take(nowMs: number): PathSizeResult | null {
    if (this.#isDone || !this.#wasAlive || this.#pending !== null) return null;
    const isWhole = this.#passes >= this.#mtu;
    const isBelowFloor = this.#fails <= pathSizeFloor;
    if (!isWhole && !isBelowFloor && this.#fails - this.#passes > pathSizeStep) return null;
    if (!isWhole && !this.#isConfirmed && this.#mtu > pathSizeFloor) {
      // Chance may have taken the large ones: the whole is tried again, and only then it is believed.
      this.#isConfirmed = true;
      this.#pending = { bytes: this.#mtu, tries: 0, sentAtMs: Number.NEGATIVE_INFINITY };
      return null;
    }
    this.#isDone = true;
    this.#doneAtMs = nowMs;
    return { isWhole, isBelowFloor, bytes: isWhole ? this.#mtu : Math.max(this.#passes, pathSizeFloor) };
  }

  #restart(): void {
    this.#passes = 0;
    this.#fails = this.#mtu + 1;
    this.#pending = null;
    this.#isDone = false;
    this.#isConfirmed = false;
  }

  /** The whole first, then the least that is of use, then halves. */
  #next(): number {
    if (this.#fails > this.#mtu) return this.#mtu;
    if (this.#passes < pathSizeFloor) return Math.min(pathSizeFloor, this.#mtu);
    return (this.#passes + this.#fails) >> 1;
  }

  #triesFor(bytes: number): number {
    return bytes === this.#mtu ? pathSizeFirstTries : pathSizeTries;
  }
}
