// What was observed on the machine: the parts of it that a document can be about. Each subsystem looks at its own.
import type { ObservedRuleset } from './nftables/observed.ts';

export interface ByFamily {
  readonly ipv6: boolean;
  readonly ipv4: boolean;
}

export interface ObservedPeer {
  readonly publicKey: string;
  readonly endpoint: string | null;
  readonly allowedIps: readonly string[];
  /** Unix time in seconds; 0: never. */
  readonly lastHandshakeS: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  /** Seconds; 0: off. */
  readonly keepalive: number;
  readonly hasPresharedKey: boolean;
}

/** The WireGuard side of an interface. */
export interface ObservedDevice {
  readonly publicKey: string | null;
  readonly listenPort: number;
  readonly peers: ReadonlyMap<string, ObservedPeer>;
}

export interface ObservedInterface {
  readonly name: string;
  /** Whether the agent made it. Others are never touched. */
  readonly ours: boolean;
  /** Everything that is set once after creation has been set. */
  readonly prepared: boolean;
  /** It is in the group of the agent's interfaces. */
  readonly grouped: boolean;
  readonly flavour: 'kernel' | 'userspace' | 'other';
  readonly mtu: number;
  readonly up: boolean;
  /** IPv4 and IPv6 with their length; link-local ones are left out. */
  readonly addresses: readonly string[];
  /** null: WireGuard does not answer for it. */
  readonly device: ObservedDevice | null;
}

export interface ObservedRoute {
  readonly destination: string;
  readonly device: string;
  readonly source: string | null;
  readonly metric: number;
}

export interface ObservedState {
  readonly interfaces: ReadonlyMap<string, ObservedInterface>;
  /** Routes with the agent's protocol number, by destination; in another table than main with that (policy-rules/tables.ts). */
  readonly routes: ReadonlyMap<string, readonly ObservedRoute[]>;
  /** The agent's rules of policy routing. null: the kernel has none. */
  readonly policyRules: ReadonlySet<string> | null;
  /** What is observed of `table inet powernode`. null: there is no such table. */
  readonly ruleset: ObservedRuleset | null;
  readonly forwarding: ByFamily;
}

export const nothingObserved: ObservedState = {
  interfaces: new Map(),
  routes: new Map(),
  policyRules: new Set(),
  ruleset: null,
  forwarding: { ipv6: false, ipv4: false },
};

/** What a look found, put into what was known: the rest of it may have become newer during the look. */
export type Observation = (state: ObservedState) => ObservedState;
