// The frames that nodes get, as text. What many nodes get alike is serialised once: a frame is a short head of the
// node's own and a body that belongs to the patch.
import { formatDigest } from '@powernode/core/compile/digest';
import { type CompiledEntry, mergePatches, type Patch } from '@powernode/core/compile/patch';
import { nodeProtocol } from '@powernode/core/wire/node-stream';

/** A document named by its number and its digest. */
export interface Version {
  readonly revision: number;
  readonly digest: bigint;
}

export function welcomeFrame(welcome: {
  readonly platformVersion: string;
  readonly instanceId: string;
  readonly unusedKeysTarget: number;
}): string {
  return JSON.stringify({
    kind: 'welcome',
    protocol: nodeProtocol,
    platform_version: welcome.platformVersion,
    instance_id: welcome.instanceId,
    unused_keys_target: welcome.unusedKeysTarget,
  });
}

export function currentFrame(version: Version): string {
  return `{"kind":"current",${named(version)}}`;
}

export function documentFrame(version: Version, entries: readonly CompiledEntry[]): string {
  return `{"kind":"document",${named(version)},"entries":[${entries.map((entry) => entry.json).join(',')}]}`;
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
