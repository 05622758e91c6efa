// Pings with a word, and what runs when their answers come.

export class PingQuestions {
  #last = 0;
  readonly #asked = new Map<string, () => void>();

  get count(): number {
    return this.#asked.size;
  }

  /** The word of the ping to send. */
  ask(run: () => void): string {
    const word = `${++this.#last}`;
    this.#asked.set(word, run);
    return word;
  }

  /**
   * False: no ping had that word. The line keeps its order, so whatever was asked before has been read as well. A node may
   * leave out the answers to all pings but the newest (RFC 6455 §5.5.3).
   */
  answered(word: string): boolean {
    if (!this.#asked.has(word)) return false;
    for (const [earlier, run] of this.#asked) {
      this.#asked.delete(earlier);
      run();
      if (earlier === word) break;
    }
    return true;
  }

  clear(): void {
    this.#asked.clear();
  }
}
