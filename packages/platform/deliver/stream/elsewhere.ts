// A machine's stream may be in another process of the platform. Before a stream is its machine's here, the process that
// has one is asked whether somebody answers there: then two machines run with one identity, and the one that was there
// keeps its stream (claims.ts says the same within one process). Processes that do not know of each other yet ask as soon
// as they have granted one; of two that granted at once the one with the lower id keeps it.
import type { InstanceId } from '@powernode/core/ids';
import { streamProofMs } from '@powernode/core/limits/node-stream';
import { Gossip, Questions } from '../../coordination/gossip.ts';
import type { EventBus } from '../../events/event-bus.ts';
import type { IdentityGossip } from '../../events/presence-gossip.ts';
import type { Clock } from '../../trust/clock.ts';

export interface ElsewhereParts {
  readonly processId: string;
  readonly bus: Pick<EventBus, 'publish' | 'subscribe'>;
  readonly clock: Pick<Clock, 'after'>;
  /** The other process that has the machine's stream, as far as is known; null: none. */
  readonly holderOf: (instanceId: InstanceId) => string | null;
  /** Whether somebody answers on the stream of this process; null: there is none. One that does not answer is ended. */
  readonly prove: (instanceId: InstanceId) => Promise<boolean> | null;
  /** A second machine was found in another process, and is refused there. */
  readonly duplicated: (instanceId: InstanceId, refusedAddress: string) => void;
}

/** What another process says of a machine. free: nobody answers there, or nobody said anything in time. */
export type Elsewhere = 'free' | 'there';

/** A proof, and the way to the other process and back. */
const answerMs = streamProofMs + 1_000;

export class StreamsElsewhere {
  readonly #parts: ElsewhereParts;
  readonly #questions: Questions<Elsewhere>;
  readonly #gossip: Gossip<IdentityGossip>;

  constructor(parts: ElsewhereParts) {
    this.#parts = parts;
    this.#questions = new Questions(parts.processId, parts.clock);
    this.#gossip = new Gossip({
      processId: parts.processId,
      bus: parts.bus,
      pack: (identity) => ({ kind: 'identity', identity }),
      unpack: (message) => (message.kind === 'identity' ? message.identity : null),
      // `to` says who has to answer: any process with a stream of the machine may.
      isForAll: true,
      received: (message) => {
        if (message.about === 'asks') void this.#answer(message);
        else this.#questions.answer(message.question, message.isThere ? 'there' : 'free');
      },
    });
  }

  close(): void {
    this.#gossip.close();
    this.#questions.close();
  }

  /** null: no other process is known to have the machine's stream. */
  before(instanceId: InstanceId, address: string): Promise<Elsewhere> | null {
    const to = this.#parts.holderOf(instanceId);
    return to === null ? null : this.#ask({ instanceId, address, to });
  }

  /** Asked once the stream was granted, for processes that are not known of. */
  after(instanceId: InstanceId, address: string): Promise<Elsewhere> {
    return this.#ask({ instanceId, address, to: null });
  }

  #ask(of: {
    readonly instanceId: InstanceId;
    readonly address: string;
    readonly to: string | null;
  }): Promise<Elsewhere> {
    return new Promise((resolve) => {
      this.#questions.ask({
        about: of.instanceId,
        withinMs: answerMs,
        ask: (question) =>
          this.#gossip.publish({ about: 'asks', question, from: this.#parts.processId, ...of }),
        answered: resolve,
        unanswered: () => resolve('free'),
      });
    });
  }

  async #answer(asked: Extract<IdentityGossip, { about: 'asks' }>): Promise<void> {
    const { processId, prove, duplicated } = this.#parts;
    const { question, instanceId, from, to } = asked;
    const yields = to === null && from < processId && this.#questions.isAsking(instanceId);
    const isThere = yields ? null : await prove(instanceId);
    if (isThere === true) duplicated(instanceId, asked.address);
    // Who is asked by name answers in any case, so that nobody waits for what is not there.
    if (isThere === true || to === processId) {
      this.#gossip.publish({ about: 'answers', question, isThere: isThere === true });
    }
  }
}
