// What follows from the largest packets that pass the paths of this node: interfaces get a lower MTU, so that TCP on
// both sides makes packets that pass, and what was found is told as a problem with what to do about it.
import { pathSizeFloor } from '@powernode/core/limits/probe';
import type { Logger } from 'pino';
import { type PathIndex, readTunnelKey } from '../plan/path-index.ts';
import type { PathSizeResult } from '../probe/path-size.ts';
import type { MtuCaps } from '../subsystems/addresses/mtu.ts';
import type { FoundProblem, NodeProblems } from './problems.ts';

export interface PathMtusParts {
  readonly index: () => PathIndex;
  readonly log: Pick<Logger, 'warn'>;
  readonly problems: Pick<NodeProblems, 'set'>;
  /** These interfaces are to have another MTU from here on. */
  readonly changed: (interfaces: readonly string[]) => void;
}

export class PathMtus {
  readonly #parts: PathMtusParts;
  /** Of tunnels that carry less than their interface allows, by the key of their peer. */
  readonly #small = new Map<string, PathSizeResult>();
  #caps: MtuCaps = new Map();

  constructor(parts: PathMtusParts) {
    this.#parts = parts;
  }

  get caps(): MtuCaps {
    return this.#caps;
  }

  found(tunnel: string, size: PathSizeResult): void {
    // Measured again after a long time: all that the lowered interface allows passes, and now more is tried.
    if (size.isWhole) return this.forget(tunnel);
    this.#small.set(tunnel, size);
    this.#parts.log.warn({ tunnel, bytes: size.bytes }, 'larger packets get lost on this path');
    this.settle();
  }

  /** The path is not what it was, or the document: what was found is forgotten, and the whole is tried again. */
  forget(tunnel: string): void {
    if (this.#small.delete(tunnel)) this.settle();
  }

  /** Works out anew what follows, after a change of the document as well. */
  settle(): void {
    const index = this.#parts.index();
    for (const tunnel of this.#small.keys()) if (index.peer(tunnel) === undefined) this.#small.delete(tunnel);
    const caps = new Map<string, number>();
    for (const [tunnel, { bytes }] of this.#small) {
      const { interface: name } = readTunnelKey(tunnel);
      caps.set(name, Math.min(bytes, caps.get(name) ?? bytes));
    }
    const names = new Set([...caps.keys(), ...this.#caps.keys()]);
    const changed = [...names].filter((name) => caps.get(name) !== this.#caps.get(name));
    this.#caps = caps;
    this.#parts.problems.set(
      'path mtu',
      Array.from(this.#small, ([tunnel, size]) => problemOf(tunnel, { size, index })),
    );
    if (changed.length > 0) this.#parts.changed(changed);
  }
}

function problemOf(
  tunnel: string,
  { size, index }: { readonly size: PathSizeResult; readonly index: PathIndex },
): FoundProblem {
  const { interface: name } = readTunnelKey(tunnel);
  const wanted = index.interfaces.get(name);
  const where = `on the path of ${name}, whose MTU is ${wanted?.mtu ?? 'unknown'}, and nothing on it says so (ICMP is filtered)`;
  const detail = size.isBelowFloor
    ? `Packets of ${pathSizeFloor} bytes, which IPv6 needs, get lost ${where}. Give the link below a larger MTU, or use another one.`
    : `Packets of more than ${size.bytes} bytes get lost ${where}. The agent uses ${size.bytes} for ${name}; set the network's mtu to ${size.bytes} if other instances lose large packets too.`;
  return {
    code: size.isBelowFloor ? 'path_mtu_too_small' : 'path_mtu_lowered',
    detail,
    networkId: wanted?.network_id,
    peerId: index.peer(tunnel)?.peer_id,
    interface: name,
  };
}
