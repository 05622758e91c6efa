// Limits how many whole documents are being sent at once. After a start thousands of nodes may ask for theirs together,
// and all of them in memory at the same time would be more than the machine has.
import { documentEntriesMax, documentHoldMs } from '@powernode/core/limits/node-stream';
import type { Clock } from '../../trust/clock.ts';

/** One document to send. */
export interface DocumentSend {
  /** Writes it to the stream; returns its number of entries, 0 when the stream has ended meanwhile. */
  send(): number;
  /** Calls when the whole document has left the send buffer. */
  whenSent(run: () => void): void;
}

export class DocumentSendLimiter {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #queue: DocumentSend[] = [];
  /** Of all documents that are being sent. */
  #entries = 0;

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  /** Sends the document now, or when those before it leave room. */
  request(document: DocumentSend): void {
    this.#queue.push(document);
    this.#sendNext();
  }

  #sendNext(): void {
    while (this.#entries < documentEntriesMax) {
      const document = this.#queue.shift();
      if (document === undefined) return;
      const entries = document.send();
      if (entries > 0) this.#occupy(document, entries);
    }
  }

  /** A node that does not read its document occupies room for `documentHoldMs` only. */
  #occupy(document: DocumentSend, entries: number): void {
    this.#entries += entries;
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      callOff();
      this.#entries -= entries;
      this.#sendNext();
    };
    const callOff = this.#clock.after(documentHoldMs, release);
    document.whenSent(release);
  }
}
