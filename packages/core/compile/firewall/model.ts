// The compiled rules of a network on one node: an ordered decision list of lookups in tables of exact keys. The model is
// independent of the kernel's firewall; the agent renders it for nftables (agent/subsystems/nftables).
//
// The step, table and key of a rule follow from the rule alone: the step from its selector, breadth and action
// (rule-order.ts), the lookup table from the signature of both sides, the key from their values. So a change of
// one rule changes one key, and a packet is looked up once for each signature in use, however many rules there are.
import type { Family } from '../../net/address.ts';
import type { MemberEntry, RuleEntry } from '../../wire/document.ts';

export type Direction = 'ingress' | 'egress';
export type Action = RuleEntry['action'];

/** The form of one side of a rule. net: a prefix, by its length. */
export type Form =
  | { readonly kind: 'any' }
  | { readonly kind: 'host' }
  | { readonly kind: 'net'; readonly length: number }
  | { readonly kind: 'group'; readonly group: string };

/** The fields of a packet in the key beside its addresses. port: one port; range: several. */
export type Match = 'any' | 'protocol' | 'port' | 'range';

export interface Signature {
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
 * The keys of rules of one signature, with the rule that is counted for each. A key is the addresses (source, destination)
 * that the forms ask for, the number of the protocol, the port or ports, as `fd00::1 . 6 . 80-90`; where nothing of
 * these is asked for, the number of the family. No two keys of a table match one packet.
 */
export interface LookupTable {
  /** The signature as text; the same in every decision list. */
  readonly id: string;
  readonly signature: Signature;
  readonly elements: ReadonlyMap<string, string>;
}

/** Rules of one rank, one breadth and one action: the order within does not matter. */
export interface DecisionStep {
  readonly name: string;
  readonly action: Action;
  readonly common: readonly LookupTable[];
  /** For packets whose remote address is in the group. */
  readonly ofGroup: ReadonlyMap<string, readonly LookupTable[]>;
}

/** The evaluation of packets of one direction: the first step that matches decides. */
export interface DecisionList {
  readonly direction: Direction;
  readonly steps: readonly DecisionStep[];
  readonly otherwise: 'accept' | 'drop';
  /** What it was compiled from, so that compiling the next one costs as much as the difference. */
  readonly inputs: DecisionInputs;
}

export interface DecisionInputs {
  readonly rules: ReadonlySet<RuleEntry>;
  readonly localGroups: ReadonlySet<string>;
  readonly keys: ReadonlyMap<string, readonly LookupKey[]>;
  readonly tables: ReadonlyMap<string, LookupTable>;
}

/** One key of a rule. */
export interface LookupKey {
  readonly tableId: string;
  readonly signature: Signature;
  /** The key, but for a range of ports. */
  readonly key: string;
  readonly ports: readonly [first: number, last: number] | null;
  readonly ruleId: string;
}

/** The members of a group that lookup tables name. */
export interface Group {
  readonly name: string;
  readonly entries: readonly MemberEntry[];
  readonly addresses: readonly string[];
}

/** Groups that are looked up together: an address outside of the block is in none of its groups. */
export interface GroupBlock {
  readonly number: number;
  readonly groups: readonly Group[];
  readonly addresses: readonly string[];
}

export interface NetworkFirewall {
  readonly networkId: string;
  readonly handle: string;
  readonly prefixes: readonly string[];
  /** Addresses of devices for which this node evaluates rules. */
  readonly devices: readonly string[];
  readonly groups: ReadonlyMap<string, Group>;
  readonly blocks: ReadonlyMap<number, GroupBlock>;
  readonly ingress: DecisionList;
  readonly egress: DecisionList;
}
