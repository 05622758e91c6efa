// The impact of a change on the documents of nodes, collected while the network compares before and after.
import type { InstanceId, PeerId } from '../ids.ts';
import type { EntriesDelta } from './class-entries.ts';
import { type PeerClass, peerClasses } from './entries.ts';
import type { PeerModel } from './model.ts';
import type { ContributionDelta } from './network-items.ts';
import { type CompiledEntry, diffEntries, isEmptyPatch, mergePatches, type Patch } from './patch.ts';

/** Patches that many nodes share, and patches of single nodes beside. */
export interface Impact {
  /** A node may be in several; their keys are disjoint. */
  readonly shared: readonly SharedPatch[];
  /** By instance. A node in both a shared group and here gets both; their keys are disjoint. */
  readonly single: ReadonlyMap<InstanceId, Patch>;
}

export interface SharedPatch {
  readonly instances: readonly InstanceId[];
  readonly patch: Patch;
}

export interface Difference {
  readonly before: readonly CompiledEntry[];
  readonly after: readonly CompiledEntry[];
}

/** What the collector has to know of the network, as it is after the change. */
export interface ReachedNodes {
  /** Instances of which everything is compared, so that they get nothing else. */
  readonly whole: ReadonlySet<InstanceId>;
  peer(id: PeerId): PeerModel | undefined;
  peerClass(peer: PeerModel): PeerClass;
  /** Instances of that peer class. */
  members(peerClass: PeerClass): Iterable<InstanceId>;
  all(): Iterable<InstanceId>;
}

/** Looks before and after the change. */
export interface ClassEntriesChange {
  /** What nodes have by their peer class alone; null: untouched. */
  readonly network: EntriesDelta | null;
  readonly peers: ReadonlyMap<PeerId, EntriesDelta>;
}

export class ImpactCollector {
  readonly #reached: ReachedNodes;
  readonly #shared: SharedPatch[] = [];
  readonly #single = new Map<InstanceId, Patch>();

  constructor(reached: ReachedNodes) {
    this.#reached = reached;
  }

  get impact(): Impact {
    return { shared: this.#shared, single: this.#single };
  }

  /** What one node alone gets. */
  single(instanceId: InstanceId, { before, after }: Difference): void {
    const patch = diffEntries(before, after);
    if (isEmptyPatch(patch)) return;
    const other = this.#single.get(instanceId);
    this.#single.set(instanceId, other === undefined ? patch : mergePatches(other, patch));
  }

  /** What nodes get because peers look otherwise. At once: an address that goes from one to another is one entry. */
  classEntries(seen: ClassEntriesChange): void {
    const { whole, peer, members, peerClass } = this.#reached;
    const selves = [...seen.peers.keys()].flatMap((id) => peer(id) ?? []);
    // A peer does not see itself, so it does not share what those get who see all of these.
    const except = new Set([...whole, ...selves.map((self) => self.instanceId)]);
    for (const from of peerClasses)
      this.#all(differenceOf(seen, from, null), { instances: members(from), except });
    for (const self of selves) {
      if (!whole.has(self.instanceId))
        this.single(self.instanceId, differenceOf(seen, peerClass(self), self.id));
    }
  }

  /** What nodes get because items were made anew. */
  items(given: readonly ContributionDelta[]): void {
    const before = given.flatMap((one) => one.before.all);
    const after = given.flatMap((one) => one.after.all);
    const keys = new Set([...before, ...after].map((entry) => entry.key));
    const except = new Set(this.#reached.whole);
    for (const [instanceId, own] of this.#contributionsToPeers(given)) {
      // What was everyone's may have become its own, or the other way round: one entry that changes.
      if ([...own.before, ...own.after].some((entry) => keys.has(entry.key))) {
        except.add(instanceId);
        this.single(instanceId, { before: [...before, ...own.before], after: [...after, ...own.after] });
      } else this.single(instanceId, own);
    }
    this.#all({ before, after }, { instances: this.#reached.all(), except });
  }

  #contributionsToPeers(
    given: readonly ContributionDelta[],
  ): Map<InstanceId, { before: CompiledEntry[]; after: CompiledEntry[] }> {
    const { peer, whole } = this.#reached;
    const found = new Map<InstanceId, { before: CompiledEntry[]; after: CompiledEntry[] }>();
    for (const contribution of given) {
      for (const side of ['before', 'after'] as const) {
        for (const [peerId, entries] of contribution[side].peers) {
          const instanceId = peer(peerId)?.instanceId;
          if (instanceId === undefined || whole.has(instanceId)) continue;
          const own = found.get(instanceId) ?? { before: [], after: [] };
          own[side].push(...entries);
          found.set(instanceId, own);
        }
      }
    }
    return found;
  }

  /** What these nodes get alike. */
  #all(
    { before, after }: Difference,
    to: { readonly instances: Iterable<InstanceId>; readonly except: ReadonlySet<InstanceId> },
  ): void {
    const patch = diffEntries(before, after);
    if (isEmptyPatch(patch)) return;
    const instances: InstanceId[] = [];
    for (const id of to.instances) if (!to.except.has(id)) instances.push(id);
    if (instances.length > 0) this.#shared.push({ instances, patch });
  }
}

/** What a node of that peer class has by it, and because of these peers. */
function differenceOf(seen: ClassEntriesChange, from: PeerClass, exceptId: PeerId | null): Difference {
  const looks = seen.network === null ? [] : [seen.network];
  for (const [id, one] of seen.peers) if (id !== exceptId) looks.push(one);
  return {
    before: looks.flatMap((one) => one.before?.[from] ?? []),
    after: looks.flatMap((one) => one.after?.[from] ?? []),
  };
}

export function noImpact(): Impact {
  return { shared: [], single: new Map() };
}
