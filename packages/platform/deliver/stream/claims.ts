// Decides which stream is a machine's when there are two. The same program of the machine that comes back is granted it
// at once. Another program is granted it only when the one that has it does not answer: then that one was ended, or its
// line is dead. When it answers, two machines run with one identity (a cloned disk), and the one that was there keeps
// its stream.
import { streamProofMs, streamTakeoversPerMinuteMax } from '@powernode/core/limits/node-stream';
import type { Clock } from '../../trust/clock.ts';
import type { NodeState } from '../nodes/node-state.ts';

/** later: it is being found out for another stream already. */
export type Verdict = 'granted' | 'duplicate' | 'later';

/** What a claim needs to know of a stream. */
export interface Claimant {
  readonly node: NodeState;
  /** The run of the machine's program, as it said in its hello; null: it has said nothing yet. */
  readonly run: string | null;
  readonly hasEnded: boolean;
  /** Calls when the machine answers a question that is put to it now. */
  prove(answered: () => void): void;
  /** Calls when it is over; answers how to call that off. */
  whenEnded(run: () => void): () => void;
  terminate(): void;
}

export interface ClaimParts<Stream> {
  readonly clock: Pick<Clock, 'after'>;
  /** Milliseconds of a clock that never jumps. */
  readonly steady: () => number;
  /** Gives the stream to the claimant, and ends the present one as replaced. */
  readonly grant: (stream: Stream) => void;
}

interface Contest {
  isOpen: boolean;
  /** When the same program took over from itself, within the last minute. */
  takeovers: number[];
}

export class Claims<Stream extends Claimant> {
  readonly #parts: ClaimParts<Stream>;
  readonly #contests = new WeakMap<NodeState, Contest>();
  /** The stream that a machine has; `node.stream` says the same to those who only speak to it. */
  readonly #present = new WeakMap<NodeState, Stream>();

  constructor(parts: ClaimParts<Stream>) {
    this.#parts = parts;
  }

  /** To be called when the stream is the machine's from here on. */
  granted(stream: Stream): void {
    this.#present.set(stream.node, stream);
  }

  /** Whether somebody is there who answers on the machine's stream now. */
  async isThere(node: NodeState): Promise<boolean> {
    const present = this.#present.get(node);
    if (present === undefined || present.hasEnded || present.run === null) return false;
    return this.#prove(present);
  }

  /** Whether another stream of the machine is here that said who it is. */
  isContested(stream: Stream): boolean {
    const present = this.#present.get(stream.node);
    return present !== undefined && present !== stream && !present.hasEnded && present.run !== null;
  }

  /** Ends the machine's stream when nobody answers on it. null: there is none. */
  prove(node: NodeState): Promise<boolean> | null {
    const present = this.#present.get(node);
    if (present === undefined || present.hasEnded || present.run === null) return null;
    return this.#prove(present).then((isThere) => {
      if (!isThere) present.terminate();
      return isThere;
    });
  }

  /** Called at the hello of a stream. What can be said at once is. */
  claim(stream: Stream): Verdict | Promise<Verdict> {
    const present = this.#present.get(stream.node);
    if (present === stream) return 'granted';
    const isFree = present === undefined || present.hasEnded || present.run === null;
    if (isFree || (present.run === stream.run && this.#mayTakeOver(stream.node))) {
      return this.#grant(stream);
    }
    const contest = this.#contestOf(stream.node);
    if (contest.isOpen) return 'later';
    contest.isOpen = true;
    return this.#prove(present).then((isThere) => {
      contest.isOpen = false;
      if (stream.hasEnded) return 'later';
      if (isThere) return 'duplicate';
      present.terminate();
      return this.#grant(stream);
    });
  }

  #grant(stream: Stream): 'granted' {
    this.#parts.grant(stream);
    return 'granted';
  }

  /** False when it has lately taken over from itself too often: machines copied while they ran say the same run. */
  #mayTakeOver(node: NodeState): boolean {
    const contest = this.#contestOf(node);
    const now = this.#parts.steady();
    contest.takeovers = contest.takeovers.filter((at) => now - at < 60_000);
    if (contest.takeovers.length >= streamTakeoversPerMinuteMax) return false;
    contest.takeovers.push(now);
    return true;
  }

  #prove(present: Stream): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (isThere: boolean) => {
        callOff();
        forget();
        resolve(isThere);
      };
      const callOff = this.#parts.clock.after(streamProofMs, () => end(false));
      const forget = present.whenEnded(() => end(false));
      present.prove(() => end(true));
    });
  }

  #contestOf(node: NodeState): Contest {
    const contest = this.#contests.get(node) ?? { isOpen: false, takeovers: [] };
    this.#contests.set(node, contest);
    return contest;
  }
}
