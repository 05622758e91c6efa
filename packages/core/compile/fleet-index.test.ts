// The fast compiler against the naive one, over random sequences of changes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EntryValue } from '../wire/document.ts';
import { documentDigest, formatDigest } from './digest.ts';
import { type Change, FleetIndex } from './fleet-index.ts';
import type { NetworkModel, PeerModel } from './model.ts';
import { compileNaively } from './naive.ts';
import type { Effect } from './network-index.ts';
import { applyPatch } from './patch.ts';

const instanceIds = ['i0', 'i1', 'i2', 'i3', 'i4', 'i5', 'i6', 'i7', 'i8'];
const networkIds = ['n0', 'n1'];

function networkModel(id: string, strategy: NetworkModel['topologyStrategy'], mtu: number): NetworkModel {
  return {
    id,
    accountId: 'a',
    handle: id,
    prefix: `fd00:0:0:${id.slice(1)}::/64`,
    mtu,
    topologyStrategy: strategy,
  };
}

type Step =
  | { readonly op: 'network'; readonly network: number; readonly mesh: boolean; readonly mtu: number }
  | { readonly op: 'delete'; readonly network: number }
  | {
      readonly op: 'peer';
      readonly network: number;
      readonly instance: number;
      readonly slot: number | null;
      readonly endpoint: boolean;
      readonly key: number;
    }
  | { readonly op: 'detach'; readonly network: number; readonly instance: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('network' as const),
      network: fc.nat(1),
      mesh: fc.boolean(),
      mtu: fc.constantFrom(1280, 1420),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('delete' as const), network: fc.nat(1) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      op: fc.constant('peer' as const),
      network: fc.nat(1),
      instance: fc.nat(8),
      slot: fc.option(fc.integer({ min: 1, max: 7 }), { nil: null }),
      endpoint: fc.boolean(),
      key: fc.nat(2),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('detach' as const), network: fc.nat(1), instance: fc.nat(8) }),
  },
);

/** The model: plain maps, and what each node holds after the patches it was sent. */
class Model {
  readonly networks = new Map<string, NetworkModel>();
  readonly peers = new Map<string, Map<string, PeerModel>>();
  readonly held = new Map<string, Map<string, EntryValue>>();

  changeFor(step: Step): Change | null {
    const networkId = networkIds[step.network] ?? '';
    const network = this.networks.get(networkId);
    if (step.op === 'network') {
      const next = networkModel(networkId, step.mesh ? 'full_mesh' : 'hub_and_spoke', step.mtu);
      return { kind: network === undefined ? 'network_created' : 'network_updated', network: next };
    }
    if (network === undefined) return null;
    if (step.op === 'delete') return { kind: 'network_deleted', networkId };
    const instanceId = instanceIds[step.instance] ?? '';
    const peers = this.peers.get(networkId) ?? new Map<string, PeerModel>();
    const before = peers.get(instanceId) ?? null;
    if (step.op === 'detach') {
      return before === null ? null : { kind: 'peer_changed', networkId, before, after: null };
    }
    const slotTaken = [...peers.values()].some((p) => p.hubSlot === step.slot && p.instanceId !== instanceId);
    const after: PeerModel = {
      id: `${networkId}-${instanceId}`,
      networkId,
      instanceId,
      hostAddress: `fd00:0:0:${networkId.slice(1)}::${step.instance + 1}`,
      publicKey: `key-${networkId}-${instanceId}-${step.key}`,
      hubSlot: slotTaken ? null : step.slot,
      endpoint: step.endpoint ? `192.0.2.${step.instance}:51820` : null,
      listenPort: 51820,
    };
    return { kind: 'peer_changed', networkId, before, after };
  }

  record(change: Change): void {
    switch (change.kind) {
      case 'network_created':
      case 'network_updated':
        this.networks.set(change.network.id, change.network);
        if (!this.peers.has(change.network.id)) this.peers.set(change.network.id, new Map());
        return;
      case 'network_deleted':
        this.networks.delete(change.networkId);
        this.peers.delete(change.networkId);
        return;
      case 'peer_changed':
        if (change.after !== null)
          this.peers.get(change.networkId)?.set(change.after.instanceId, change.after);
        else if (change.before !== null) this.peers.get(change.networkId)?.delete(change.before.instanceId);
    }
  }

  deliver(effect: Effect): void {
    for (const { instances, patch } of effect.shared) {
      for (const instance of instances) this.#patch(instance, patch);
    }
    for (const [instance, patch] of effect.single) this.#patch(instance, patch);
  }

  #patch(instance: string, patch: Effect['shared'][number]['patch']): void {
    const values = [...patch.set.values()].map((entry) => entry.value);
    this.held.set(
      instance,
      applyPatch(this.held.get(instance) ?? new Map(), { set: values, remove: patch.remove }),
    );
  }

  expected(instanceId: string): Map<string, EntryValue> {
    const networks = [...this.networks.values()].map((network) => ({
      network,
      peers: [...(this.peers.get(network.id)?.values() ?? [])],
    }));
    return compileNaively(networks, instanceId);
  }
}

const sorted = (map: ReadonlyMap<string, EntryValue>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

describe('the fast compiler', () => {
  test('gives every node the document of the naive one, by patches alone, after any changes', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 30, maxLength: 60, size: 'max' }), (steps) => {
        const index = new FleetIndex();
        const model = new Model();
        for (const one of steps) {
          const change = model.changeFor(one);
          if (change === null) continue;
          model.record(change);
          model.deliver(index.apply(change));
          for (const instanceId of instanceIds) {
            const expected = model.expected(instanceId);
            const held = model.held.get(instanceId) ?? new Map<string, EntryValue>();
            expect(sorted(held)).toEqual(sorted(expected));
            const compiled = new Map(index.compile(instanceId).map((entry) => [entry.key, entry.value]));
            expect(sorted(compiled)).toEqual(sorted(expected));
            expect(index.digest(instanceId)).toBe(formatDigest(documentDigest(expected.values())));
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  test('reaches only the hubs when a spoke is attached to hub_and_spoke', () => {
    const index = new FleetIndex();
    index.apply({ kind: 'network_created', network: networkModel('n0', 'hub_and_spoke', 1420) });
    const peer = (i: number, hubSlot: number | null): PeerModel => ({
      id: `p${i}`,
      networkId: 'n0',
      instanceId: `i${i}`,
      hostAddress: `fd00::${i + 1}`,
      publicKey: `k${i}`,
      hubSlot,
      endpoint: hubSlot === null ? null : `192.0.2.${i}:51820`,
      listenPort: 51820,
    });
    for (let i = 0; i < 20; i++) {
      index.apply({
        kind: 'peer_changed',
        networkId: 'n0',
        before: null,
        after: peer(i, i < 2 ? i + 1 : null),
      });
    }
    const effect = index.apply({
      kind: 'peer_changed',
      networkId: 'n0',
      before: null,
      after: peer(20, null),
    });
    expect(effect.shared.map((group) => [...group.instances].sort())).toEqual([['i0', 'i1']]);
    expect([...effect.single.keys()]).toEqual(['i20']);
    expect([...(effect.shared[0]?.patch.set.keys() ?? [])]).toEqual(['peer/wg-n0/k20']);
  });
});
