// The message that says why a peer is unreachable.
import type { Cause } from './evaluate-peer.ts';

export interface Names {
  readonly self: string;
  readonly hub: (peerId: string) => string;
}

export function messageOf(cause: Cause, names: Names): string {
  const { self } = names;
  const hubs = listOf(cause.hubIds.map((id) => names.hub(id)));
  const since = cause.sinceMs === null ? '' : ` since ${timeOf(cause.sinceMs)}`;
  switch (cause.code) {
    case 'offline': {
      const by = [
        'the platform',
        ...cause.hubIds.map((id) => names.hub(id)),
        ...(cause.count > 0 ? [peers(cause.count)] : []),
      ];
      return `${self} has not been heard by ${listOf(by)}${since}.`;
    }
    case 'not_heard': {
      const by = [hubs, ...(cause.count > 0 ? [peers(cause.count)] : [])].filter((part) => part !== '');
      return `The agent of ${self} is connected to the platform, but ${self} has not been heard in the overlay by ${listOf(by)}${since}.`;
    }
    case 'udp_blocked':
      return `The agent of ${self} is connected to the platform, but none of its hubs has answered it${since}, while others reach ${hubs}: UDP between ${self} and them does not pass.`;
    case 'hubs_dead':
      return `${self} reaches none of its hubs (${hubs})${since}, and nobody else does.`;
    case 'no_path':
      return hubs === ''
        ? `Nothing passes between ${self} and the one peer that calls it${since}; nobody else tells which of the two it is.`
        : `Nothing passes between ${self} and ${hubs}${since}; nobody else tells which side it is.`;
    case 'forwards_nothing':
      return `${self} answers for itself, but ${peers(cause.count)} ${cause.count === 1 ? 'finds' : 'find'} that it has passed nothing on${since}.`;
    case 'contradiction':
      return `${hubs} ${cause.hubIds.length === 1 ? 'has' : 'have'} not heard ${self}${since}, although ${self} says that it is answered: one of the two is wrong.`;
  }
}

function peers(count: number): string {
  return count === 1 ? 'one peer' : `${count} peers`;
}

function listOf(names: readonly string[]): string {
  if (names.length <= 1) return names[0] ?? '';
  if (names.length > namedMax)
    return `${names.slice(0, namedMax).join(', ')} and ${names.length - namedMax} more`;
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

const namedMax = 6;

/** Whole seconds are enough for people. */
function timeOf(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
