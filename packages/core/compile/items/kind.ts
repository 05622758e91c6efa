// The interface of a kind of item: everything that the compiler, audits and plans know of it. Items are the objects of a
// network beside its peers; index.ts lists their kinds.
import type { PeerId, PublicKey } from '../../ids.ts';
import type { FirewallFinding } from '../../intent/firewall.ts';
import type { EntryValue } from '../../wire/document.ts';
import type { TransitHub } from '../entries.ts';
import type { EntryKindTable } from '../entry-kind.ts';
import type { Item, ItemId, NetworkModel, PeerModel } from '../model.ts';

/** What an item may look up. Each look is noted by the index, so that it knows what the item depends on. */
export interface Lookup {
  readonly network: NetworkModel;
  peer(id: PeerId): PeerModel | undefined;
  item(id: ItemId): Item | undefined;
  readonly transit: readonly TransitHub[];
  /** All hubs of the network. */
  hubs(): readonly PeerModel[];
}

export interface ItemContribution {
  /** What every node of the network has. */
  readonly all: readonly EntryValue[];
  /** What single peers have, by peer. */
  readonly peers: ReadonlyMap<PeerId, readonly EntryValue[]>;
}

export const noContribution: ItemContribution = { all: [], peers: new Map() };

/** Addresses (with their length) that a peer advertises because of an item. */
export interface Advertisement {
  readonly peerId: PeerId;
  readonly addresses: readonly string[];
}

/** A member of the groups that its tags name. */
export interface Member {
  readonly tags: readonly string[];
  readonly addresses: readonly string[];
}

/** An item that leads nowhere, because what it names is gone. */
export interface MissingTarget {
  readonly type: FirewallFinding['object']['type'];
  /** What is missing, and what to do. */
  readonly why: string;
}

/** The item as a side of rules. */
export interface RuleSideKind<M> {
  /** With its article, for findings: `a device`. */
  readonly noun: string;
  /** Why rules that name the item match nothing, behind its name; null: packets come from it or go to it. */
  readonly whyUnmatched?: (item: M, lookup: Pick<Lookup, 'peer'>) => string | null;
}

export interface ItemKind<M> {
  /** What nodes have because of it. */
  readonly contribution: (item: M, lookup: Lookup) => ItemContribution;
  readonly advertised?: (item: M) => readonly Advertisement[];
  /** Tags of which every node has to know the members. */
  readonly tagsNamed?: (item: M) => readonly string[];
  /** The item is a member of groups itself. */
  readonly member?: (item: M) => Member;
  /** The WireGuard key with which it calls its hub. */
  readonly publicKey?: (item: M) => PublicKey;
  /** null: what it names is there. */
  readonly missingTarget?: (item: M, lookup: Pick<Lookup, 'peer' | 'item'>) => MissingTarget | null;
  /** Left out: rules cannot name it. */
  readonly side?: RuleSideKind<M>;
  /** The kinds of entries that it alone gives. */
  readonly entryKinds: Partial<EntryKindTable>;
}
