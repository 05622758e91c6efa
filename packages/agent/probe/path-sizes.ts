// The measurements of the largest packet for all paths of this node: one for each target that is a tunnel of its own.
import type { TargetConfig } from './config.ts';
import { PathSize, type PathSizeResult, type SmallProbes } from './path-size.ts';

/** Headers of IPv6 (RFC 8200 §3) and UDP (RFC 768) before a probe. */
const headerBytes = 40 + 8;

export interface SizedProbe {
  readonly config: TargetConfig;
  /** Of the datagram. */
  readonly size: number;
}

export class PathSizes {
  readonly #paths = new Map<string, { readonly config: TargetConfig; readonly size: PathSize }>();

  configure(configs: readonly TargetConfig[]): void {
    const wanted = new Map(
      configs.filter(({ purpose }) => purpose !== 'forwarding').map((config) => [config.target, config]),
    );
    for (const target of this.#paths.keys()) if (!wanted.has(target)) this.#paths.delete(target);
    for (const [target, config] of wanted) {
      const known = this.#paths.get(target);
      const isKnown = known !== undefined && known.config.tunnel === config.tunnel;
      const size = isKnown ? known.size : new PathSize(config.mtu);
      size.configure(config.mtu);
      this.#paths.set(target, { config, size });
    }
  }

  /** Padded probes to send now. `smallOf`: how small ones of a target do. */
  due(nowMs: number, smallOf: (target: string) => SmallProbes): SizedProbe[] {
    const due: SizedProbe[] = [];
    for (const [target, { config, size }] of this.#paths) {
      const bytes = size.due(nowMs, smallOf(target));
      if (bytes !== null) due.push({ config, size: bytes - headerBytes });
    }
    return due;
  }

  answered(target: string, size: number): void {
    this.#paths.get(target)?.size.answered(size + headerBytes);
  }

  /** By tunnel, what was found since the last time. */
  *found(nowMs: number): Generator<readonly [tunnel: string, size: PathSizeResult]> {
    for (const { config, size } of this.#paths.values()) {
      const result = size.take(nowMs);
      if (result !== null) yield [config.tunnel, result];
    }
  }
}
