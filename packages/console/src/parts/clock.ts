// What time it is: the platform's clock, as far as its answers tell, and a beat for whatever shows an age.
import { useSyncExternalStore } from 'react';

let offsetMs = 0;
let beatAt = Date.now();
let timer: ReturnType<typeof setInterval> | null = null;
const listeners = new Set<() => void>();

/** An HTTP date has whole seconds, so smaller differences are not believed. */
const offsetBelievedMs = 2_000;
const beatMs = 1_000;

/** Takes the platform's idea of now from an answer. */
export function learnServerTime(at: Date): void {
  const difference = at.getTime() - Date.now();
  offsetMs = Math.abs(difference) < offsetBelievedMs ? 0 : difference;
}

/** Milliseconds since 1970 by the platform's clock. Ages of what it says are counted from here. */
export function serverNow(): number {
  return Date.now() + offsetMs;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(beat, beatMs);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
}

function beat(): void {
  beatAt = serverNow();
  for (const listener of [...listeners]) listener();
}

/** The platform's time, once a second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => (timer === null ? serverNowCoarse() : beatAt));
}

/** Before the first beat: stable within a second, as React asks of a snapshot. */
function serverNowCoarse(): number {
  const now = serverNow();
  if (Math.abs(now - beatAt) >= beatMs) beatAt = now;
  return beatAt;
}
