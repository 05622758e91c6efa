// The slice that a cluster has given this node, as flannel writes it, in k3s too: /run/flannel/subnet.env, with the prefix
// of the cluster and the first address of the slice. It is read only where a network has pods; what cannot be read, or is
// not inside of the prefix of one, is nobody's slice.
import { closeSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { podSliceFileBytesMax, podSliceLookMs } from '@powernode/core/limits/agent';
import { familyOf, parseAddress, widthOf } from '@powernode/core/net/address';
import { contains, formatPrefix, hostMask, type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { Clock } from '../ports/clock.ts';

const file = 'run/flannel/subnet.env';

/** Its variables by family. A cluster with both has one file. */
const variables = [
  { network: 'FLANNEL_NETWORK', slice: 'FLANNEL_SUBNET' },
  { network: 'FLANNEL_IPV6_NETWORK', slice: 'FLANNEL_IPV6_SUBNET' },
] as const;

/** Slices inside of one of `prefixes`, in canonical text. */
export function podSlicesIn(text: string, prefixes: readonly string[]): string[] {
  const values = new Map(
    text.split('\n').flatMap((line) => {
      const match = /^([A-Z0-9_]+)=(\S+)\s*$/.exec(line);
      return match === null ? [] : [[match[1] ?? '', match[2] ?? ''] as const];
    }),
  );
  const allowed = prefixes.flatMap((one) => parsePrefix(one) ?? []);
  return variables.flatMap((names) => {
    const slice = blockAround(values.get(names.slice) ?? '');
    // Some versions list several.
    const networks = (values.get(names.network) ?? '').split(',').flatMap((one) => parsePrefix(one) ?? []);
    if (slice === null || !networks.some((network) => contains(network, slice))) return [];
    return allowed.some((prefix) => contains(prefix, slice)) ? [formatPrefix(slice)] : [];
  });
}

/** The block of an address with a length; null: it is none. */
function blockAround(text: string): Prefix | null {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const address = parseAddress(match?.[1] ?? '');
  const length = Number(match?.[2]);
  if (address === null || length > widthOf[familyOf(match?.[1] ?? '')]) return null;
  const prefix = { family: address.family, bits: 0n, length };
  return { ...prefix, bits: address.bits & ~hostMask(prefix) };
}

export interface PodSliceParts {
  readonly clock: Clock;
  /** What this machine is to be: which of its networks have pods. */
  readonly document: () => NodeDocument;
  readonly changed: () => void;
  /** Folder that the file is looked for in; other than "/" in tests. */
  readonly root?: string;
}

/** Looks at the file now and then, and says when the slices are others than before. */
export class PodSliceWatch {
  readonly #parts: PodSliceParts;
  #slices: readonly string[] | null = null;
  #cancel: () => void = () => undefined;

  constructor(parts: PodSliceParts) {
    this.#parts = parts;
  }

  /** As of the last look; null: no network of this machine has pods, and nothing is said of them. */
  get slices(): readonly string[] | null {
    return this.#slices;
  }

  /** Looks now, and again after a while. */
  look(): void {
    this.#cancel();
    this.#cancel = this.#parts.clock.after(podSliceLookMs, () => this.look());
    const pods = this.#parts.document().all('pods').values();
    const prefixes = Array.from(pods, ({ prefix }) => prefix);
    const found =
      prefixes.length === 0 ? null : podSlicesIn(read(path.join(this.#parts.root ?? '/', file)), prefixes);
    const isSame = JSON.stringify(found) === JSON.stringify(this.#slices);
    this.#slices = found;
    if (!isSame) this.#parts.changed();
  }

  stop(): void {
    this.#cancel();
  }
}

/** The beginning of it; nothing where there is none. */
function read(name: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(name, 'r');
  } catch {
    return '';
  }
  try {
    const buffer = Buffer.alloc(podSliceFileBytesMax);
    return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
  } catch {
    return '';
  } finally {
    closeSync(descriptor);
  }
}
