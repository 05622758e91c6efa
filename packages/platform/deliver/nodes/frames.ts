// The frames that nodes get, as text. What many nodes get alike is serialised once: a frame is a short head of the
// node's own and a body that belongs to the patch.
import { formatDigest } from '@powernode/core/compile/digest';
import { type CompiledEntry, mergePatches, type Patch } from '@powernode/core/compile/patch';
import { nodeFragmentBytes } from '@powernode/core/limits/node-stream';
import { toEarlier, type WelcomeFacts, welcomeFor } from '@powernode/core/wire/earlier';
import type { LeaseRenewMessage } from '@powernode/core/wire/node-stream';

/** A document named by its number and its digest. */
export interface Version {
  readonly revision: number;
  readonly digest: bigint;
}

export function welcomeFrame(welcome: WelcomeFacts): string {
  return JSON.stringify(welcomeFor(welcome));
}

export function beatFrame(everyMs: number): string {
  return JSON.stringify({ kind: 'beat', every_ms: everyMs });
}

export function currentFrame(version: Version): string {
  return `{"kind":"current",${named(version)}}`;
}

export function keysRetiredFrame(publicKeys: readonly string[], capability: number): string {
  return JSON.stringify(toEarlier({ kind: 'keys_retired', public_keys: publicKeys }, capability));
}

export function retryFrame(): string {
  return JSON.stringify({ kind: 'retry' });
}

export function leaseAckFrame(
  { sequence, leases }: Pick<LeaseRenewMessage, 'sequence' | 'leases'>,
  capability: number,
): string {
  return JSON.stringify(toEarlier({ kind: 'lease_ack', sequence, leases }, capability));
}

/** In pieces, so that the documents of many nodes are never in memory whole at the same time. */
export function* documentPieces(
  version: Version,
  entries: readonly CompiledEntry[],
): Generator<string, undefined> {
  let piece = `{"kind":"document",${named(version)},"entries":[`;
  let comma = '';
  for (const entry of entries) {
    piece += comma + entry.json;
    comma = ',';
    if (piece.length < nodeFragmentBytes) continue;
    yield piece;
    piece = '';
  }
  yield `${piece}]}`;
  return undefined;
}

export function deltaFrame(delta: {
  readonly base: number;
  readonly to: Version;
  readonly patch: Patch;
}): string {
  return `{"kind":"delta","base":${delta.base},${named(delta.to)},${bodyOf(delta.patch)}}`;
}

function named({ revision, digest }: Version): string {
  return `"revision":${revision},"hash":"${formatDigest(digest)}"`;
}

const bodies = new WeakMap<Patch, string>();

function bodyOf(patch: Patch): string {
  let body = bodies.get(patch);
  if (body === undefined) {
    const set = Array.from(patch.set.values(), (entry) => entry.json).join(',');
    body = `"set":[${set}],"remove":${JSON.stringify([...patch.remove])}`;
    bodies.set(patch, body);
  }
  return body;
}

const merges = new WeakMap<Patch, WeakMap<Patch, Patch>>();

/** First one, then the other; the same two give the same object again, so that its body is made once. */
export function mergeShared(first: Patch, second: Patch): Patch {
  let byFirst = merges.get(first);
  if (byFirst === undefined) {
    byFirst = new WeakMap();
    merges.set(first, byFirst);
  }
  let merged = byFirst.get(second);
  if (merged === undefined) {
    merged = mergePatches(first, second);
    byFirst.set(second, merged);
  }
  return merged;
}
