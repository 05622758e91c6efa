// What was seen on the machine: the parts of it that a document can be about. Made by looking, in apply/.
import type { ByFamily } from './ruleset-intent.ts';
import type { SeenRuleset } from './ruleset-seen.ts';

export interface SeenPeer {
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
export interface SeenDevice {
  readonly publicKey: string | null;
  readonly listenPort: number;
  readonly peers: ReadonlyMap<string, SeenPeer>;
}

export interface SeenInterface {
  readonly name: string;
  /** Whether the agent made it. Others are never touched. */
  readonly ours: boolean;
  /** Everything that is set once after creation has been set. */
  readonly prepared: boolean;
  readonly flavour: 'kernel' | 'userspace' | 'other';
  readonly mtu: number;
  readonly up: boolean;
  /** IPv4 and IPv6 with their length; link-local ones are left out. */
  readonly addresses: readonly string[];
  /** null: WireGuard does not answer for it. */
  readonly device: SeenDevice | null;
}

export interface SeenRoute {
  readonly destination: string;
  readonly device: string;
  readonly source: string | null;
  readonly metric: number;
}

export interface Seen {
  readonly interfaces: ReadonlyMap<string, SeenInterface>;
  /** Routes with the agent's protocol number, by destination. */
  readonly routes: ReadonlyMap<string, readonly SeenRoute[]>;
  /** What is seen of `table inet powernode`. null: there is no such table. */
  readonly ruleset: SeenRuleset | null;
  readonly forwarding: ByFamily;
}

export const nothingSeen: Seen = {
  interfaces: new Map(),
  routes: new Map(),
  ruleset: null,
  forwarding: { ipv6: false, ipv4: false },
};
