// The impact of a change on the documents of nodes, collected while the network compares before and after.
import type { InstanceId, PeerId } from '../ids.ts';
import { type Standing, standings } from './entries.ts';
import type { PeerModel } from './model.ts';
import type { ContributionDelta } from './network-items.ts';
import type { Looks } from './network-views.ts';
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
export interface Reached {
  /** Instances of which everything is compared, so that they get nothing else. */
  readonly whole: ReadonlySet<InstanceId>;
  peer(id: PeerId): PeerModel | undefined;
  standing(peer: PeerModel): Standing;
  /** Instances of that standing. */
  members(standing: Standing): Iterable<InstanceId>;
  everyone(): Iterable<InstanceId>;
}

/** Looks before and after the change. */
export interface Seen {
  /** What nodes have by their standing alone; null: untouched. */
  readonly network: Looks | null;
  readonly peers: ReadonlyMap<PeerId, Looks>;
}

export class ImpactCollector {
  readonly #reached: Reached;
  readonly #shared: SharedPatch[] = [];
  readonly #single = new Map<InstanceId, Patch>();

  constructor(reached: Reached) {
    this.#reached = reached;
  }

  get impact(): Impact {
    return { shared: this.#shared, single: this.#single };
  }

  /** What one node alone gets. */
  one(instanceId: InstanceId, { before, after }: Difference): void {
    const patch = diffEntries(before, after);
    if (isEmptyPatch(patch)) return;
    const other = this.#single.get(instanceId);
    this.#single.set(instanceId, other === undefined ? patch : mergePatches(other, patch));
  }

  /** What nodes get because peers look otherwise. At once: an address that goes from one to another is one entry. */
  looks(seen: Seen): void {
    const { whole, peer, members, standing } = this.#reached;
    const selves = [...seen.peers.keys()].flatMap((id) => peer(id) ?? []);
    // A peer does not see itself, so it does not share what those get who see all of these.
    const except = new Set([...whole, ...selves.map((self) => self.instanceId)]);
    for (const from of standings) this.#all(lookOf(seen, from, null), { instances: members(from), except });
    for (const self of selves) {
      if (!whole.has(self.instanceId)) this.one(self.instanceId, lookOf(seen, standing(self), self.id));
    }
  }

  /** What nodes get because items were made anew. */
  items(given: readonly ContributionDelta[]): void {
    const before = given.flatMap((one) => one.before.everyone);
    const after = given.flatMap((one) => one.after.everyone);
    const keys = new Set([...before, ...after].map((entry) => entry.key));
    const except = new Set(this.#reached.whole);
    for (const [instanceId, own] of this.#contributionsToPeers(given)) {
      // What was everyone's may have become its own, or the other way round: one entry that changes.
      if ([...own.before, ...own.after].some((entry) => keys.has(entry.key))) {
        except.add(instanceId);
        this.one(instanceId, { before: [...before, ...own.before], after: [...after, ...own.after] });
      } else this.one(instanceId, own);
    }
    this.#all({ before, after }, { instances: this.#reached.everyone(), except });
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

/** What a node of that standing has by it, and because of these peers. */
function lookOf(seen: Seen, from: Standing, exceptId: PeerId | null): Difference {
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
