// Whether the holder of a virtual IP is well, by what hubs and the platform hear of it. Pure.
import { addressLeaseMarginMs, addressLeaseMs } from '../limits.ts';
import { heardBy } from './candidates.ts';
import type { State, Verdict, Word } from './state.ts';
import { tooFew } from './terms.ts';

export interface Health {
  readonly verdict: Verdict;
  /** Hubs that do not hear it, hear it, and have said nothing. */
  readonly dead: readonly string[];
  readonly alive: readonly string[];
  readonly mute: readonly string[];
  /** The platform has not answered it for as long as a lease lasts. */
  readonly silent: boolean;
  /** Some hubs are mute; all others have lost it, and one of those hears another candidate: it is not the hub. */
  readonly lost: boolean;
  /** When it may be otherwise though nothing new is heard; null: never. */
  readonly changesMs: number | null;
}

export function healthOf(state: State, peerId: string, now: number): Health {
  const terms = state.terms.get(peerId) ?? null;
  const silent = isSilent(state, now);
  const facts = state.peers.get(peerId);
  if (terms === null) {
    // Nobody vouches for it, so nothing can be held against it either.
    const verdict = facts?.connected === true ? 'well' : 'unsure';
    return { verdict, dead: [], alive: [], mute: [], silent, lost: false, changesMs: null };
  }
  const words = state.words.get(peerId);
  const saying = (what: (word: Word | undefined) => boolean) =>
    terms.witnesses.filter((hub) => what(words?.get(hub)));
  const dead = saying((word) => word !== undefined && !word.alive && hasListened(word, now));
  const alive = saying((word) => word?.alive === true);
  const mute = terms.witnesses.filter((hub) => !dead.includes(hub) && !alive.includes(hub));
  const lost = dead.length > 0 && alive.length === 0 && canBeBettered(state, peerId, dead);
  const sights = { dead, alive, mute, silent, lost, changesMs: changesMs(state, { words, hubs: mute, now }) };
  if (dead.length + Number(silent) >= tooFew(terms)) return { verdict: 'down', ...sights };
  if (lost && mute.length === 0) return { verdict: 'down', ...sights };
  const isEnough = alive.length + Number(!silent) >= terms.enough && alive.length > 0;
  return { verdict: isEnough ? 'well' : 'unsure', ...sights };
}

function canBeBettered(state: State, holder: string, dead: readonly string[]): boolean {
  return state.row.candidates.some(
    (peerId) => peerId !== holder && heardBy(state, peerId).some((hub) => dead.includes(hub)),
  );
}

/** A word of a hub begins to count, or the holder has been silent for too long. */
function changesMs(
  state: State,
  of: {
    readonly words: ReadonlyMap<string, Word> | undefined;
    readonly hubs: readonly string[];
    readonly now: number;
  },
): number | null {
  const heard = of.hubs.flatMap((hub) => of.words?.get(hub) ?? []).map(listenedMs);
  const silence = state.heldMs === null ? [] : [state.heldMs + addressLeaseMs + 1];
  const coming = [...heard, ...silence].filter((at) => at > of.now);
  return coming.length === 0 ? null : Math.min(...coming);
}

/** A hub whose agent has just begun cannot know what it answered before. */
export function hasListened(word: Word, now: number): boolean {
  return now >= listenedMs(word);
}

function listenedMs(word: Word): number {
  return word.openedMs + addressLeaseMs + addressLeaseMarginMs;
}

export function isSilent(state: Pick<State, 'heldMs'>, now: number): boolean {
  return state.heldMs === null || now - state.heldMs > addressLeaseMs;
}
