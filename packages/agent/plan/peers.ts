// What differs between the wanted and the seen peers of one interface.

import { agentHandshakeAliveMs } from '@powernode/core/limits';
import { parseEndpoint } from '@powernode/core/net/address';
import { canonicalPrefix } from '@powernode/core/net/prefix';
import { entryKey, type PeerEntry } from '@powernode/core/wire/document';
import type { SeenPeer } from './seen.ts';
import type { Step } from './step.ts';

interface PeerSets {
  readonly wanted: ReadonlyMap<string, PeerEntry>;
  readonly seen: ReadonlyMap<string, SeenPeer>;
  /** Only these public keys may differ; null: any. */
  readonly keys: ReadonlySet<string> | null;
  /** The interface gets another key, which ends every session: those that can call begin anew at once. */
  readonly renew: boolean;
}

interface PeerContext {
  readonly name: string;
  readonly writtenEndpoints: ReadonlyMap<string, string>;
  readonly nowMs: number;
  readonly problems: string[];
}

/** AllowedIPs that peers have for now beside those of their entries, by the key of their entry. */
export type Carried = ReadonlyMap<string, readonly string[]>;

/** The entry with everything that its peer is to have now. */
export function asCarried(entry: PeerEntry, carried: Carried): PeerEntry {
  if (carried.size === 0) return entry;
  const more = carried.get(entryKey(entry));
  return more === undefined ? entry : { ...entry, allowed_ips: [...entry.allowed_ips, ...more] };
}

export function planPeers(sets: PeerSets, context: PeerContext): Step[] {
  const steps: Step[] = [];
  for (const entry of sets.wanted.values()) {
    if (entry.endpoint !== null && parseEndpoint(entry.endpoint) === null) {
      context.problems.push(
        `Peer ${entry.public_key} has endpoint "${entry.endpoint}", which is not address:port.`,
      );
      continue;
    }
    const seen = sets.seen.get(entry.public_key);
    const step =
      seen === undefined
        ? writtenPeer(entry, 'new')
        : changedPeer(entry, seen, { ...context, renew: sets.renew });
    if (step !== null) steps.push(step);
  }
  // Last, so that prefixes which move from one peer to another are never without one.
  for (const publicKey of sets.keys ?? sets.seen.keys()) {
    if (sets.wanted.has(publicKey) || !sets.seen.has(publicKey)) continue;
    steps.push({ kind: 'remove_peer', interface: context.name, publicKey });
  }
  return steps;
}

/** All of a peer, whatever it is like now. */
export function writtenPeer(entry: PeerEntry, how: 'new' | 'renew'): Step {
  return {
    kind: 'set_peer',
    interface: entry.interface,
    peer: {
      publicKey: entry.public_key,
      endpoint: entry.endpoint,
      allowedIps: entry.allowed_ips,
      keepalive: entry.keepalive,
      how,
      clearPresharedKey: false,
    },
  };
}

function changedPeer(
  entry: PeerEntry,
  seen: SeenPeer,
  context: PeerContext & { readonly renew: boolean },
): Step | null {
  const renew = context.renew && entry.endpoint !== null;
  const endpoint = endpointToWrite(entry, seen, context);
  const same =
    entry.keepalive === seen.keepalive &&
    !seen.hasPresharedKey &&
    samePrefixes(entry.allowed_ips, seen.allowedIps);
  if (same && endpoint === null && !renew) return null;
  return {
    kind: 'set_peer',
    interface: entry.interface,
    peer: {
      publicKey: entry.public_key,
      endpoint: renew ? entry.endpoint : endpoint,
      allowedIps: entry.allowed_ips,
      keepalive: entry.keepalive,
      how: renew ? 'renew' : same ? 'place' : 'change',
      clearPresharedKey: seen.hasPresharedKey,
    },
  };
}

/**
 * The kernel may have learnt a newer place of a peer that moves, so what is seen may differ from what is wanted for
 * good. It is written when the wish changed, and when nobody answers at the place that was learnt.
 */
function endpointToWrite(entry: PeerEntry, seen: SeenPeer, context: PeerContext): string | null {
  if (entry.endpoint === null || entry.endpoint === seen.endpoint) return null;
  const written = context.writtenEndpoints.get(`peer/${entry.interface}/${entry.public_key}`);
  if (written !== undefined && written !== entry.endpoint) return entry.endpoint;
  const silentMs = context.nowMs - seen.lastHandshakeS * 1000;
  return silentMs > agentHandshakeAliveMs ? entry.endpoint : null;
}

function samePrefixes(wanted: readonly string[], seen: readonly string[]): boolean {
  if (wanted.length !== seen.length) return false;
  if (wanted.every((prefix, i) => prefix === seen[i])) return true;
  const left = new Set(wanted.map((prefix) => canonicalPrefix(prefix) ?? prefix));
  return seen.every((prefix) => left.has(canonicalPrefix(prefix) ?? prefix));
}
