// Presence without a database: which reports count after a change of the fleet, what one process reports to another of
// a stream that was replaced, and clocks that are set.
import { withContents } from '@powernode/core/compile/deltas';
import { type Change, FleetIndex } from '@powernode/core/compile/fleet-index';
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import { networkModel, peerModel } from '@powernode/core/compile/model.fixture';
import { gossipExpiryMs } from '@powernode/core/limits/gossip';
import { nodeSilentMs } from '@powernode/core/limits/node-stream';
import { presenceGraceMs, presenceTickMs } from '@powernode/core/limits/presence';
import type { HubPathState } from '@powernode/core/presence/evaluate-peer';
import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { type EventBus, inProcessBus } from '../../events/event-bus.ts';
import { SimulatedClock } from '../../trust/clock.fixture.ts';
import { nodeState } from '../nodes/node-state.fixture.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { Presence } from './presence.ts';

const hourMs = 3_600_000;

function network(id: string): NetworkModel {
  return networkModel({ id, handle: id });
}

const hex = (text: string) => (text.codePointAt(0) ?? 0).toString(16);

/** The peer of a machine in a network; `hubSlot`: null for a spoke. */
function peer(instanceId: string, networkId: string, hubSlot: number | null = null): PeerModel {
  return peerModel({
    id: `${instanceId} in ${networkId}`,
    networkId,
    instanceId,
    hostAddress: `fd00:${hex(networkId)}::${hex(instanceId)}`,
    publicKey: `key of ${instanceId} in ${networkId}`,
    hubSlot,
    endpoint: hubSlot === null ? null : '192.0.2.1:51820',
  });
}

let clock: SimulatedClock;
let bus: EventBus;
let processes: Process[];

/** One process of the platform. */
class Process {
  readonly fleet = new FleetIndex();
  readonly presence: Presence;
  readonly #nodes = new Map<string, NodeState>();

  constructor(processId: string, networks: ReadonlyMap<NetworkModel, readonly PeerModel[]>) {
    for (const [one, peers] of networks) this.fleet.load(one, peers);
    this.presence = new Presence({
      store: {
        get db(): never {
          throw new Error('nothing is written here');
        },
      },
      bus,
      clock,
      log: pino({ level: 'silent' }),
      fleet: this.fleet,
      processId,
      hostnameOf: (instanceId) => instanceId,
      handshakeMs: () => null,
    });
    const ids = new Set([...networks.values()].flat().map(({ instanceId }) => instanceId));
    const machines = Array.from(ids, (id) => ({
      id,
      account_id: 'a',
      last_heartbeat_at: new Date(clock.now()),
      offline_since: null,
    }));
    this.presence.load({ machines, unreachable: new Map() });
    processes.push(this);
  }

  applies(change: Change): void {
    for (const delta of withContents(this.fleet.apply(change).deltas)) this.presence.onDelta(delta);
  }

  arrives(...instanceIds: readonly string[]): void {
    for (const instanceId of instanceIds) {
      const node = nodeState({ instanceId });
      this.#nodes.set(instanceId, node);
      this.presence.arrived(node);
    }
  }

  leaves(instanceId: string): void {
    this.presence.left(this.#node(instanceId));
  }

  /** Every machine on a stream of this process says something. */
  beat(): void {
    for (const node of this.#nodes.values()) node.heard(clock.now());
  }

  says(instanceId: string, hub: PeerModel, state: HubPathState): void {
    const path = { network_id: hub.networkId, peer_id: hub.id, state, for_ms: 0 };
    this.presence.probed(this.#node(instanceId), { kind: 'probed', heard: [], paths: [path] });
  }

  hears(hub: PeerModel, peers: readonly PeerModel[], heard: boolean): void {
    this.presence.probed(this.#node(hub.instanceId), {
      kind: 'probed',
      heard: peers.map(({ hostAddress }) => ({ address: hostAddress, heard, for_ms: 0 })),
      paths: [],
    });
  }

  state(instanceId: string): string {
    return this.presence.view.instance(instanceId).state;
  }

  #node(instanceId: string): NodeState {
    const node = this.#nodes.get(instanceId);
    if (node === undefined) throw new Error(`${instanceId} has no stream here`);
    return node;
  }
}

/** So many turns of all processes, with all machines heard in each. */
async function turns(count = 1): Promise<void> {
  for (let i = 0; i < count; i++) {
    await clock.advance(presenceTickMs);
    for (const one of processes) {
      one.beat();
      one.presence.tick();
    }
  }
}

function detached(before: PeerModel): Change {
  return { kind: 'peer_changed', networkId: before.networkId, before, after: null };
}

const hub = peer('hub', 'n', 1);
const spokes = ['m', 'a', 'b'].map((id) => peer(id, 'n'));
const [leaver, ...stayers] = spokes as [PeerModel, PeerModel, PeerModel];
const all = new Map([[network('n'), [hub, ...spokes]]]);

beforeEach(() => {
  clock = new SimulatedClock();
  bus = inProcessBus((error) => {
    throw error;
  });
  processes = [];
});

/** A process with all streams, where everybody hears everybody. */
async function working(networks: ReadonlyMap<NetworkModel, readonly PeerModel[]> = all): Promise<Process> {
  const one = new Process('one', networks);
  one.arrives(hub.instanceId, ...spokes.map(({ instanceId }) => instanceId));
  for (const { instanceId } of spokes) one.says(instanceId, hub, 'answers');
  one.hears(hub, spokes, true);
  await turns();
  expect(one.presence.view.reachable(hub.id)).toBe(true);
  return one;
}

describe('reports of machines', () => {
  test('that left the network vouch for its hub no more, nor the hub for them [9.14] [9.28]', async () => {
    const one = await working();
    const { presence } = one;
    one.applies(detached(leaver));
    await turns();
    expect(presence.view.reachable(hub.id)).toBe(true);
    expect(presence.view.heardCounts('hub')).toEqual({ heard: 2, silent: 0 });
    // UDP of the hub dies; the one that left is online and says nothing of it.
    for (const { instanceId } of stayers) one.says(instanceId, hub, 'silent');
    one.hears(hub, stayers, false);
    await turns();
    expect(presence.view.peer(hub.id)).toMatchObject({ reachable: false, because: { code: 'not_heard' } });
    expect(presence.view.heardCounts('hub')).toEqual({ heard: 0, silent: 2 });
    expect(presence.view.answers('m', hub.id)).toBeNull();
  });

  test('about a hub that is none any more, and of it, count no more when it is one again [9.14]', async () => {
    const one = await working();
    const spoke = { ...hub, hubSlot: null, endpoint: null };
    one.applies({ kind: 'peer_changed', networkId: 'n', before: hub, after: spoke });
    await turns();
    one.applies({ kind: 'peer_changed', networkId: 'n', before: spoke, after: hub });
    await turns();
    expect(one.presence.view.answers('a', hub.id)).toBeNull();
    expect(one.presence.view.heardCounts('hub')).toEqual({ heard: 0, silent: 0 });
    expect(one.presence.view.reachable(hub.id)).toBeNull();
  });

  test('of a network that is deleted say nothing of a hub of another one [9.14]', async () => {
    const [second, guest] = [peer('hub', 'o', 1), peer('m', 'o')];
    const one = await working(new Map([...all, [network('o'), [second, guest]]]));
    one.hears(second, [guest], true);
    one.says('m', second, 'answers');
    one.hears(hub, spokes, false);
    await turns();
    expect(one.presence.view.heardCounts('hub')).toEqual({ heard: 1, silent: 3 });
    one.applies({ kind: 'network_deleted', networkId: 'o' });
    await turns();
    expect(one.presence.view.heardCounts('hub')).toEqual({ heard: 0, silent: 3 });
    expect(one.presence.view.answers('m', second.id)).toBeNull();
    expect(one.presence.view.reachable(hub.id)).toBe(true);
  });
});

describe('two processes of the platform', () => {
  async function both(): Promise<[Process, Process]> {
    const one = await working();
    const two = new Process('two', all);
    // Each finds that the other is there, and asks for all of it.
    await turns(2 * Math.ceil(1_000 / presenceTickMs) + 4);
    expect(two.presence.view.answers('m', hub.id)).toBe(true);
    return [one, two];
  }

  test.each(['before', 'after'])(
    'agree on who speaks for a hub when the other applies the change %s the stream does [9.14]',
    async (order) => {
      const [one, two] = await both();
      one.says('m', hub, 'silent');
      if (order === 'before') two.applies(detached(leaver));
      await turns();
      one.applies(detached(leaver));
      await turns(2);
      if (order === 'after') two.applies(detached(leaver));
      await turns(2);
      for (const { presence } of [one, two]) {
        expect(presence.view.answers('m', hub.id)).toBeNull();
        expect(presence.view.answers('a', hub.id)).toBe(true);
        expect(presence.view.heardCounts('hub')).toEqual({ heard: 2, silent: 0 });
      }
    },
  );

  test('know a machine as online whose stream ended and began anew within one turn [9.14]', async () => {
    const [one, two] = await both();
    one.leaves('a');
    one.arrives('a');
    await turns(2);
    expect([one.state('a'), two.state('a')]).toEqual(['online', 'online']);
    // What it said on the stream before counts for neither.
    expect([one, two].map(({ presence }) => presence.view.answers('a', hub.id))).toEqual([null, null]);
    one.says('a', hub, 'answers');
    await turns();
    expect(two.presence.view.answers('a', hub.id)).toBe(true);
  });

  test('know a machine as offline that came and went within one turn [9.14]', async () => {
    const [one, two] = await both();
    one.leaves('a');
    one.arrives('a');
    one.leaves('a');
    await turns(2);
    expect([one.state('a'), two.state('a')]).toEqual(['offline', 'offline']);
  });

  test('forget the reports of a stream that was replaced by another one of the same process [9.14]', async () => {
    const [one, two] = await both();
    one.arrives('a');
    await turns(2);
    expect([one, two].map(({ presence }) => presence.view.answers('a', hub.id))).toEqual([null, null]);
  });

  test.each([hourMs, -hourMs])('lose nobody when the clock is set by %d ms [9.24]', async (byMs) => {
    const [one, two] = await both();
    clock.set(byMs);
    await turns(Math.ceil(nodeSilentMs / presenceTickMs));
    for (const { instanceId } of [hub, ...spokes]) {
      expect([one.state(instanceId), two.state(instanceId)]).toEqual(['online', 'online']);
    }
  });

  test.each([hourMs, -hourMs])(
    'know after the same time that one of them has ended without a message, the clock being set by %d ms [9.24]',
    async (byMs) => {
      const [one, two] = await both();
      // The time that was given at its start is over.
      await turns(Math.ceil(presenceGraceMs / presenceTickMs));
      processes = [two];
      clock.set(byMs);
      await turns(Math.ceil(gossipExpiryMs / presenceTickMs) + 1);
      expect([one.state('a'), two.state('a')]).toEqual(['online', 'unknown']);
      await turns(Math.ceil(presenceGraceMs / presenceTickMs) - 10);
      expect(two.state('a')).toBe('unknown');
      await turns(20);
      expect(two.state('a')).toBe('offline');
    },
  );
});

test.each([hourMs, -hourMs])(
  'machines that were heard before a start may come back for as long, the clock being set by %d ms [9.24]',
  async (byMs) => {
    const one = new Process('one', all);
    clock.set(byMs);
    await turns();
    expect(one.state('a')).toBe('unknown');
    await turns(Math.ceil(presenceGraceMs / presenceTickMs) + 1);
    expect(one.state('a')).toBe('offline');
  },
);
