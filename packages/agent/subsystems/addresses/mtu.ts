// MTUs of interfaces that are lower than the document says, because a path was found to carry less.
import type { InterfaceEntry } from '@powernode/core/wire/document';

/** By the name of an interface: the largest packet that passes all of its paths that were measured. */
export type MtuCaps = ReadonlyMap<string, number>;

export const noMtuCaps: MtuCaps = new Map();

export function cappedMtu({ name, mtu }: Pick<InterfaceEntry, 'name' | 'mtu'>, caps: MtuCaps): number {
  return Math.min(mtu, caps.get(name) ?? mtu);
}
