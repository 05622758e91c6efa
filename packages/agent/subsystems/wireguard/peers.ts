// What differs between the wanted and the observed peers of one interface.

import { agentHandshakeAliveMs } from '@powernode/core/limits/agent';
import { parseEndpoint } from '@powernode/core/net/address';
import { canonicalPrefix } from '@powernode/core/net/prefix';
import { entryKey, type PeerEntry } from '@powernode/core/wire/document';
import type { ObservedPeer } from '../observed.ts';
import type { Problem } from '../problem.ts';
import type { Calls } from './calls.ts';
import type { WireguardStep } from './steps.ts';

interface PeerSets {
  readonly wanted: ReadonlyMap<string, PeerEntry>;
  readonly observed: ReadonlyMap<string, ObservedPeer>;
  /** Only these public keys may differ; null: any. */
  readonly keys: ReadonlySet<string> | null;
  /** The interface gets another key, which ends every session: those that can call begin anew at once. */
  readonly renew: boolean;
}

interface PeerContext {
  readonly name: string;
  readonly writtenEndpoints: ReadonlyMap<string, string>;
  readonly isSilenced: Calls['isSilenced'];
  readonly nowMs: number;
  readonly problems: Problem[];
}

/** AllowedIPs that peers have for now beside those of their entries, by the key of their entry. */
export type ExtraAllowedIps = ReadonlyMap<string, readonly string[]>;

/** The entry with everything that its peer is to have now. */
export function withExtraAllowedIps(entry: PeerEntry, extraAllowedIps: ExtraAllowedIps): PeerEntry {
  if (extraAllowedIps.size === 0) return entry;
  const more = extraAllowedIps.get(entryKey(entry));
  return more === undefined ? entry : { ...entry, allowed_ips: [...entry.allowed_ips, ...more] };
}

export function planPeers(sets: PeerSets, context: PeerContext): WireguardStep[] {
  const steps: WireguardStep[] = [];
  for (const entry of sets.wanted.values()) {
    if (entry.endpoint !== null && parseEndpoint(entry.endpoint) === null) {
      context.problems.push({
        subsystem: 'wireguard',
        code: 'wireguard_failed',
        detail: `Peer ${entry.public_key} has endpoint "${entry.endpoint}", which is not address:port. Give it another endpoint.`,
        interface: context.name,
      });
      continue;
    }
    const observed = sets.observed.get(entry.public_key);
    const step =
      observed === undefined
        ? writtenPeer(entry, 'new')
        : changedPeer(entry, observed, { ...context, renew: sets.renew });
    if (step !== null) steps.push(step);
  }
  // Last, so that prefixes which move from one peer to another are never without one.
  for (const publicKey of sets.keys ?? sets.observed.keys()) {
    if (sets.wanted.has(publicKey) || !sets.observed.has(publicKey)) continue;
    steps.push({ kind: 'remove_peer', interface: context.name, publicKey });
  }
  return steps;
}

/** All of a peer, whatever it is like now. */
export function writtenPeer(entry: PeerEntry, how: 'new' | 'renew'): WireguardStep {
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
  observed: ObservedPeer,
  context: PeerContext & { readonly renew: boolean },
): WireguardStep | null {
  // The kernel forgets where a peer is by forgetting the peer; its sessions were dead.
  const silenced = observed.endpoint !== null && context.isSilenced(entryKey(entry));
  const renew = silenced || (context.renew && entry.endpoint !== null);
  const endpoint = endpointToWrite(entry, observed, context);
  const same =
    entry.keepalive === observed.keepalive &&
    !observed.hasPresharedKey &&
    samePrefixes(entry.allowed_ips, observed.allowedIps);
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
      clearPresharedKey: observed.hasPresharedKey,
    },
  };
}

/**
 * The kernel may have learnt a newer place of a peer that moves, so what is observed may differ from what is wanted for
 * good. It is written when the wish changed, and when nobody answers at the place that was learnt.
 */
function endpointToWrite(entry: PeerEntry, observed: ObservedPeer, context: PeerContext): string | null {
  if (entry.endpoint === null || entry.endpoint === observed.endpoint) return null;
  const written = context.writtenEndpoints.get(`peer/${entry.interface}/${entry.public_key}`);
  if (written !== undefined && written !== entry.endpoint) return entry.endpoint;
  const silentMs = context.nowMs - observed.lastHandshakeS * 1000;
  return silentMs > agentHandshakeAliveMs ? entry.endpoint : null;
}

function samePrefixes(wanted: readonly string[], observed: readonly string[]): boolean {
  if (wanted.length !== observed.length) return false;
  if (wanted.every((prefix, i) => prefix === observed[i])) return true;
  const left = new Set(wanted.map((prefix) => canonicalPrefix(prefix) ?? prefix));
  return observed.every((prefix) => left.has(canonicalPrefix(prefix) ?? prefix));
}
