// What actions ask of other parts of the platform, so that they know none of them.
import type { Candidate } from '@powernode/core/virtual-ips/candidates';
import type { Terms } from '@powernode/core/virtual-ips/terms';
import type { VirtualIpRow } from './sdwan/virtual-ips/model.ts';

/** What is known of virtual IPs beside their rows. Any process can answer, from what it hears. */
export interface VirtualIpSense {
  /** How fit the candidates of the row are now, in their order. */
  candidates(row: VirtualIpRow): Candidate[];
  /** All that the row's holder may be acting on. */
  terms(row: VirtualIpRow): readonly Terms[];
}

/** A TCP port of the platform's own machine. */
export interface PlatformListener {
  /** In words, as part of a sentence. */
  readonly what: string;
  /** Canonical; null: at all addresses of the machine. */
  readonly address: string | null;
  readonly port: number;
}
