// What the rules of a network come to on one node: an ordered list of lookups in sets of exact keys. Nothing here is
// text of a particular firewall; how the kernel is told is the agent's (agent/subsystems/nftables).
//
// A rule's place follows from the rule alone: its step from its selector, breadth and action (rule-order.ts), its
// bucket from the shape of both sides, its key from their values. So a change of one rule changes one key, and a
// packet is looked up once for each shape that is in use, however many rules there are.
import type { Family } from '../../net/address.ts';
import type { MemberEntry, RuleEntry } from '../../wire/document.ts';

export type Direction = 'ingress' | 'egress';
export type Action = RuleEntry['action'];

/** The shape of one side of a rule. net: a block, by its length. */
export type Form =
  | { readonly kind: 'any' }
  | { readonly kind: 'host' }
  | { readonly kind: 'net'; readonly length: number }
  | { readonly kind: 'group'; readonly group: string };

/** What of a packet is looked at beside its addresses. port: one port; range: several. */
export type Match = 'any' | 'protocol' | 'port' | 'range';

export interface BucketShape {
  readonly action: Action;
  readonly source: Form;
  readonly destination: Form;
  readonly match: Match;
  /** How many pairs of protocol and port each of its rules names (rule-order.ts). */
  readonly breadth: number;
  /** Of the addresses in the key; null: there are none. */
  readonly family: Family | null;
}

/**
 * The keys of rules of one shape, with the rule that is counted for each. A key is the addresses (source, destination)
 * that the forms ask for, the number of the protocol, the port or ports, as `fd00::1 . 6 . 80-90`; where nothing of
 * these is asked for, the number of the family. No two keys of a bucket match one packet.
 */
export interface Bucket {
  /** Says the shape; the same in every program. */
  readonly id: string;
  readonly shape: BucketShape;
  readonly elements: ReadonlyMap<string, string>;
}

/** Rules of one rank, one breadth and one action: the order within does not matter. */
export interface Step {
  readonly name: string;
  readonly action: Action;
  readonly common: readonly Bucket[];
  /** For packets whose far side is in the group. */
  readonly ofGroup: ReadonlyMap<string, readonly Bucket[]>;
}

/** How packets of one direction are judged: the first step that matches decides. */
export interface Program {
  readonly direction: Direction;
  readonly steps: readonly Step[];
  readonly otherwise: 'accept' | 'drop';
  /** What it was made from, so that the next one costs as much as what differs. */
  readonly origin: Origin;
}

export interface Origin {
  readonly rules: ReadonlySet<RuleEntry>;
  readonly nearGroups: ReadonlySet<string>;
  readonly places: ReadonlyMap<string, readonly Place[]>;
  readonly buckets: ReadonlyMap<string, Bucket>;
}

/** One key of a rule. */
export interface Place {
  readonly bucketId: string;
  readonly shape: BucketShape;
  /** The key, but for a range of ports. */
  readonly cell: string;
  readonly ports: readonly [first: number, last: number] | null;
  readonly ruleId: string;
}

/** Who is in a group that buckets name. */
export interface Group {
  readonly name: string;
  readonly entries: readonly MemberEntry[];
  readonly addresses: readonly string[];
}

/** Groups that are looked up together: whoever is in none of them is in no group of the block. */
export interface GroupBlock {
  readonly number: number;
  readonly groups: readonly Group[];
  readonly addresses: readonly string[];
}

export interface NetworkFirewall {
  readonly networkId: string;
  readonly handle: string;
  readonly prefixes: readonly string[];
  /** Addresses of devices for which this node judges. */
  readonly devices: readonly string[];
  readonly groups: ReadonlyMap<string, Group>;
  readonly blocks: ReadonlyMap<number, GroupBlock>;
  readonly ingress: Program;
  readonly egress: Program;
}
