// Pings with a payload, and the callbacks for their pongs.

export class PingQuestions {
  #last = 0;
  readonly #asked = new Map<string, () => void>();

  get count(): number {
    return this.#asked.size;
  }

  /** The payload of the ping to send. */
  ask(run: () => void): string {
    const payload = `${++this.#last}`;
    this.#asked.set(payload, run);
    return payload;
  }

  /**
   * False: no ping had that payload. The line keeps its order, so whatever was asked before has been read as well. A
   * node may leave out the answers to all pings but the newest (RFC 6455 §5.5.3).
   */
  answered(payload: string): boolean {
    if (!this.#asked.has(payload)) return false;
    for (const [earlier, run] of this.#asked) {
      this.#asked.delete(earlier);
      run();
      if (earlier === payload) break;
    }
    return true;
  }

  clear(): void {
    this.#asked.clear();
  }
}
