// What of the machine is looked at.
import type { ObservedState } from './observed.ts';
import type { Step } from './step.ts';

export type LookScope =
  | { readonly kind: 'everything' }
  /** Only what these steps changed may differ from what was observed before. */
  | { readonly kind: 'after'; readonly steps: readonly Step[]; readonly before: ObservedState }
  /** Handshakes and counters of one interface. */
  | { readonly kind: 'tunnels'; readonly interface: string }
  /** Somebody else deleted rules: all of them are looked at. */
  | { readonly kind: 'rules' };
