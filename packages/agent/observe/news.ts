// Which observations of objects (sessions, checks) the platform is told of: those that differ from what it was told, and
// those whose object is no more.

export interface NewsParts<Observation> {
  /** Which object it is about. */
  readonly keyOf: (observation: Observation) => string;
  /** What is told of an object that is no more. */
  readonly gone: (last: Observation) => Observation;
  /** As many as a frame holds. */
  readonly perFrameMax: number;
}

export class News<Observation> {
  readonly #parts: NewsParts<Observation>;
  /** What was told, by object, with its text. */
  readonly #told = new Map<string, { readonly observation: Observation; readonly text: string }>();

  constructor(parts: NewsParts<Observation>) {
    this.#parts = parts;
  }

  /** The platform knows nothing. */
  startAnew(): void {
    this.#told.clear();
  }

  /** As many as a frame holds; they count as told. */
  of(observations: readonly Observation[]): Observation[] {
    const { keyOf, gone, perFrameMax } = this.#parts;
    const fresh: Observation[] = [];
    const present = new Set(observations.map(keyOf));
    for (const [key, { observation }] of this.#told) {
      if (fresh.length === perFrameMax) break;
      if (present.has(key)) continue;
      this.#told.delete(key);
      fresh.push(gone(observation));
    }
    for (const observation of observations) {
      const text = JSON.stringify(observation);
      const key = keyOf(observation);
      if (fresh.length === perFrameMax || this.#told.get(key)?.text === text) continue;
      this.#told.set(key, { observation, text });
      fresh.push(observation);
    }
    return fresh;
  }
}
