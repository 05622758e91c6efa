// What the routing of one node in one network is made from.
import type { PolicyStatement } from '../intent/route-policy.ts';

/** The node as a speaker of BGP in a network. */
export interface Speaker {
  readonly as_number: number;
  readonly router_id: string;
  /** Its IPv6 address in the overlay: what sessions are between, and the next hop of what it announces. */
  readonly host_address: string;
  /** A reflector passes all paths on to its clients; a client has sessions with reflectors only. */
  readonly role: 'reflector' | 'client' | 'mesh';
}

/** One session. */
export interface Neighbor {
  readonly host_address: string;
  /** What the neighbor is to the node. */
  readonly role: 'reflector' | 'client' | 'mesh';
  /** The only prefixes that are accepted from it, as its own; null: it passes on what others announce. */
  readonly accept: readonly string[] | null;
}

/** A prefix behind peers. */
export interface Subnet {
  readonly prefix: string;
  readonly announcers: readonly {
    /** The announcer's address in the overlay. */
    readonly next_hop: string;
    readonly preference: number;
    /** Why it does not announce it now, as a sentence. Absent: it does. */
    readonly withdrawn?: string;
  }[];
  /** An anycast address of this virtual IP: of paths that are as good, peers use the nearest. Absent: it is none. */
  readonly virtualIpId?: string;
}

/** A statement as a node has it. */
export interface Statement {
  readonly seq: number;
  readonly match: Omit<PolicyStatement['match'], 'peer'> & {
    /** The host address of the peer that announces the prefix. */
    readonly announcer?: string | undefined;
  };
  readonly set: PolicyStatement['set'];
  readonly action: 'permit' | 'deny';
}

/** A policy as a node has it. Ids are in the order in which policies were created. */
export interface Policy {
  readonly route_policy_id: string;
  readonly direction: 'import' | 'export';
  readonly statements: readonly Statement[];
}

/** Everything that one bgpd is configured from. */
export interface Routing {
  readonly speaker: Speaker;
  readonly neighbors: readonly Neighbor[];
  readonly subnets: readonly Subnet[];
  readonly policies: readonly Policy[];
}
