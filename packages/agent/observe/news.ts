// Which observations of objects (sessions, checks) the platform is told of: those that differ from what it was told, and
// those whose object is no more.

export interface NewsParts<Observation> {
  /** Which object it is about. */
  readonly keyOf: (observation: Observation) => string;
  /** What is reported of an object that is no more. */
  readonly gone: (last: Observation) => Observation;
  /** As many as a frame holds. */
  readonly perFrameMax: number;
}

export class News<Observation> {
  readonly #parts: NewsParts<Observation>;
  /** What was reported, by object, with its text. */
  readonly #reported = new Map<string, { readonly observation: Observation; readonly text: string }>();

  constructor(parts: NewsParts<Observation>) {
    this.#parts = parts;
  }

  /** The platform knows nothing. */
  startAnew(): void {
    this.#reported.clear();
  }

  /** As many as a frame holds; they count as reported. */
  of(observations: readonly Observation[]): Observation[] {
    const { keyOf, gone, perFrameMax } = this.#parts;
    const fresh: Observation[] = [];
    const present = new Set(observations.map(keyOf));
    for (const [key, { observation }] of this.#reported) {
      if (fresh.length === perFrameMax) break;
      if (present.has(key)) continue;
      this.#reported.delete(key);
      fresh.push(gone(observation));
    }
    for (const observation of observations) {
      const text = JSON.stringify(observation);
      const key = keyOf(observation);
      if (fresh.length === perFrameMax || this.#reported.get(key)?.text === text) continue;
      this.#reported.set(key, { observation, text });
      fresh.push(observation);
    }
    return fresh;
  }
}
