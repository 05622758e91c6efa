// The port through which the agent knows the time. `nowMs` is the wall clock, for what is shown and compared with
// the kernel's handshake times; `monotonicMs` only rises, for measuring how long something took.
export interface Clock {
  nowMs(): number;
  monotonicMs(): number;
  /** Calls `fire` once after so long; the returned function cancels. */
  after(delayMs: number, fire: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, fire) {
    const timer = setTimeout(fire, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves after so long. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}

/** RFC 3339 in UTC. */
export function timestamp(atMs: number): string {
  return new Date(atMs).toISOString();
}
