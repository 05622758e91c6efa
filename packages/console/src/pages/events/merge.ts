// Events from the stream and from the list as one list. No elements here.
import type { Event } from '../../api/event.ts';

/** Newest first, each once. Identifiers of version 7 are in the order of time. */
export function mergeEvents(live: readonly Event[], listed: readonly Event[], prefix: string): Event[] {
  const seen = new Set<string>();
  const fitting = [...live, ...listed].filter((event) => {
    if (seen.has(event.id) || !event.kind.startsWith(prefix)) return false;
    seen.add(event.id);
    return true;
  });
  return fitting.sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0));
}
