// What the prober's thread and the agent's say to each other. Both are of one build, so nothing is parsed.
import type { ProberConfig } from './config.ts';
import type { Claim, LeaseChange, LeaseRenewal } from './leases.ts';
import type { PathSizeResult } from './path-size.ts';
import type { PathState } from './path-state.ts';
import type { SourceChange } from './sources.ts';
import type { TargetReport, TunnelReport } from './targets.ts';
import type { WatchChange } from './watches.ts';

export type ToProber =
  | { readonly kind: 'configure'; readonly config: ProberConfig }
  /** The platform's answer to `lease_renew`. */
  | { readonly kind: 'lease_ack'; readonly sequence: number; readonly leases: readonly Claim[] }
  /** The platform has taken note of these. */
  | { readonly kind: 'confirmed'; readonly watched: readonly WatchChange[] }
  /** The table of rules is loaded from here on, and was loaded: active leases have to be written again. */
  | { readonly kind: 'loading' }
  | { readonly kind: 'loaded' }
  | { readonly kind: 'report'; readonly id: number }
  /** Addresses that this node holds and that are not to be sent to it now; the whole list. */
  | { readonly kind: 'withhold'; readonly addresses: readonly string[] }
  | { readonly kind: 'stop' };

export interface TunnelChange {
  /** The key of the peer's entry. */
  readonly tunnel: string;
  readonly state: PathState;
}

/** What is new of a peer that holds anycast addresses. */
export interface HolderChange {
  /** Its overlay address. */
  readonly holder: string;
  /** Smoothed; null: not known. */
  readonly roundTripMs: number | null;
  /** Addresses that it holds and that are not to be sent to it now. */
  readonly withheld: readonly string[];
}

/** Only what changed. */
export interface ProberNews {
  readonly tunnels: readonly TunnelChange[];
  readonly sources: readonly SourceChange[];
  /** Of tunnels to hubs. One of which nothing can be said any more is not among them. */
  readonly paths: readonly TunnelReport[];
  readonly watched: readonly WatchChange[];
  readonly leases: readonly LeaseChange[];
  readonly holders: readonly HolderChange[];
}

export type FromProber =
  | { readonly kind: 'news'; readonly news: ProberNews }
  /** The largest packet that passes a tunnel, as it was found now. */
  | { readonly kind: 'path_size'; readonly tunnel: string; readonly size: PathSizeResult }
  /** To be asked of the platform now, or not at all. */
  | ({ readonly kind: 'lease_renewal' } & LeaseRenewal)
  | { readonly kind: 'report'; readonly id: number; readonly targets: readonly TargetReport[] }
  /** Something did not work that people should know of. */
  | { readonly kind: 'trouble'; readonly detail: string };
