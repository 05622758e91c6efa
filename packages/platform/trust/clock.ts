// The port for time: what the time is, and being called later. Tests and simulations bring their own.

export interface Clock {
  /** Milliseconds since 1970 (UTC). */
  now(): number;
  /** Milliseconds of a clock that nobody sets: for how long something lasts. */
  steady(): number;
  /** Calls once after so long; returns the function that calls it off. */
  after(delayMs: number, run: () => void): () => void;
}

/** The machine's clock. What waits on it does not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
