// Gossip between the processes of one platform, over the bus: messages about what each process knows of nodes. Any of
// them may be lost, so a process repeats itself as a whole with every beat, what it said counts for nothing after a
// silence, and questions have a deadline. Failover (autonomy/failover), presence and the search for a second machine with
// one identity (deliver) use it; each has messages of its own.
import { gossipBeatMs, gossipExpiryMs } from '@powernode/core/limits/gossip';
import type { BusMessage, EventBus } from '../events/event-bus.ts';
import type { Clock } from '../trust/clock.ts';

/** `to`: the process that it is for; absent or null: all of them. */
interface Addressed {
  readonly from?: string;
  readonly to?: string | null;
}

export interface GossipParts<Message> {
  readonly processId: string;
  readonly bus: Pick<EventBus, 'publish' | 'subscribe'>;
  readonly pack: (message: Message) => BusMessage;
  /** null: a message of another kind. */
  readonly unpack: (message: BusMessage) => Message | null;
  /** Processes that a message does not name in `to` take it as well. */
  readonly isForAll?: true;
  /** A message of another process that is for this one. */
  readonly received: (message: Message) => void;
}

/** The messages of one kind. */
export class Gossip<Message extends object> {
  readonly #parts: GossipParts<Message>;
  readonly #unsubscribe: () => void;
  #closed = false;

  constructor(parts: GossipParts<Message>) {
    this.#parts = parts;
    const { processId, bus, unpack, isForAll = false, received } = parts;
    this.#unsubscribe = bus.subscribe((packed) => {
      const message: (Message & Addressed) | null = unpack(packed);
      if (message === null || message.from === processId) return;
      if (isForAll || (message.to ?? processId) === processId) received(message);
    });
  }

  /** Nothing after `close`. */
  publish(message: Message): void {
    const { bus, pack } = this.#parts;
    if (!this.#closed) bus.publish(pack(message));
  }

  close(): void {
    this.#closed = true;
    this.#unsubscribe();
  }
}

/** Whether a message that repeats everything is due, `publishedMs` after the last one. Times are of a steady clock. */
export function isBeatDue(publishedMs: number, nowMs: number): boolean {
  return nowMs - publishedMs >= gossipBeatMs;
}

/** Repeats at every beat, the first time at once. Returns the function that ends it. */
export function onEveryBeat(clock: Pick<Clock, 'after'>, repeat: () => void): () => void {
  let callOff = () => {};
  const beat = () => {
    repeat();
    callOff = clock.after(gossipBeatMs, beat);
  };
  beat();
  return () => callOff();
}

/** Whether what was heard then counts for nothing any more. Times are of a steady clock. */
export function isExpired(heardMs: number, nowMs: number): boolean {
  return nowMs - heardMs > gossipExpiryMs;
}

export interface Question<Answer> {
  /** What is asked about, for `isAsking`. */
  readonly about: string;
  readonly withinMs: number;
  /** Publishes the question under this id, which the answer names. */
  readonly ask: (question: string) => void;
  /** At most once. */
  readonly answered: (answer: Answer) => void;
  /** No answer came in time, or `close` was called first. */
  readonly unanswered?: () => void;
}

interface Pending<Answer> extends Question<Answer> {
  readonly callOff: () => void;
}

/** Questions of this process to others. */
export class Questions<Answer> {
  readonly #processId: string;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #pending = new Map<string, Pending<Answer>>();
  #count = 0;

  constructor(processId: string, clock: Pick<Clock, 'after'>) {
    this.#processId = processId;
    this.#clock = clock;
  }

  ask(of: Question<Answer>): void {
    const question = `${this.#processId}/${++this.#count}`;
    const callOff = this.#clock.after(of.withinMs, () => this.#end(question)?.unanswered?.());
    this.#pending.set(question, { ...of, callOff });
    of.ask(question);
  }

  /** An answer came. One to a question that is over is left. */
  answer(question: string, answer: Answer): void {
    this.#end(question)?.answered(answer);
  }

  isAsking(about: string): boolean {
    return this.#pending.values().some((one) => one.about === about);
  }

  close(): void {
    for (const question of [...this.#pending.keys()]) this.#end(question)?.unanswered?.();
  }

  #end(question: string): Pending<Answer> | undefined {
    const pending = this.#pending.get(question);
    this.#pending.delete(question);
    pending?.callOff();
    return pending;
  }
}
