// The explanation against real kernels: random networks on real hosts with real agents, random rules, port mappings and virtual
// IPs that change between rounds, and packets of which both are asked. Needs root. POWERNODE_EXPLAIN_ROUNDS and
// POWERNODE_EXPLAIN_SEED say how many rounds each network has, and which.
import { setTimeout as delay } from 'node:timers/promises';
import type { Item, PortMappingModel, VirtualIpModel } from '@powernode/core/compile/model';
import { Dice, randomRule, uuid } from '@powernode/core/explain/random-network.fixture';
import { seededRandom } from '@powernode/core/testing/random';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet } from '../../packages/agent/fixtures/agents.ts';
import { Endpoint } from './explain-kernel/endpoint.ts';
import { KernelNetwork, type Shape, underlayOf } from './explain-kernel/kernel-network.ts';
import { type Case, Packets } from './explain-kernel/packets.ts';
import { PlainDevice } from './explain-kernel/plain-device.ts';
import { within } from './explain-kernel/within.ts';
import { deviceName, outsideName, World } from './explain-kernel/world.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const seed = Number(process.env['POWERNODE_EXPLAIN_SEED'] ?? Date.now() % 1_000_000);
const roundsOfEach = Number(process.env['POWERNODE_EXPLAIN_ROUNDS'] ?? 5);
const casesOfRound = 50;
/** The agents match connections in their own time after they have said that a document is applied. */
const rematchMs = 60_000;
const startMs = 240_000;
/** A machine under load included; whatever hangs has an end of its own before. */
const limitMs = 300_000 + roundsOfEach * 60_000;
const drawnRules = 16;
const tags = ['a', 'b', 'c'] as const;
const hosts = ['hub1', 'hub2', 'spoke1', 'spoke2', 'spoke3'] as const;

const shapes: readonly Shape[] = [
  {
    handle: 'two',
    prefix: 'fd00:71::/64',
    ipv4Prefix: '100.71.0.0/18',
    topologyStrategy: 'hub_and_spoke',
    hubs: ['hub1', 'hub2'],
    spokes: ['spoke1', 'spoke2', 'spoke3'],
    open: [],
  },
  {
    handle: 'mesh',
    prefix: 'fd00:72::/64',
    ipv4Prefix: '100.72.0.0/18',
    topologyStrategy: 'full_mesh',
    hubs: ['hub1'],
    spokes: ['hub2', 'spoke1', 'spoke2', 'spoke3'],
    open: ['hub2', 'spoke1'],
  },
  {
    handle: 'six',
    prefix: 'fd00:73::/64',
    ipv4Prefix: null,
    topologyStrategy: 'hub_and_spoke',
    hubs: ['hub2', 'hub1'],
    spokes: ['spoke1', 'spoke2', 'spoke3'],
    open: [],
  },
];

interface Sending {
  readonly world: World;
  readonly packets: Packets;
}

describe.skipIf(!isRoot)('the explanation and the kernels', () => {
  const fleet = new Fleet();
  const endpoints = new Map<string, Endpoint>();
  const revisions = new Map<string, number>();
  const dice = new Dice(seededRandom(seed));
  let device: PlainDevice;
  let compared = 0;

  beforeAll(async () => {
    await within(startMs, fleet.start(hosts), () => `not all have joined ${JSON.stringify([...fleet.logs])}`);
    device = await PlainDevice.boot(await fleet.stage.host(deviceName));
    const outside = await fleet.stage.host(outsideName);
    for (const host of fleet.stage.hosts) {
      if (host.name === 'platform') continue;
      const endpoint = new Endpoint(host);
      await endpoint.prepare();
      endpoints.set(host.name, endpoint);
    }
    // A stranger who thinks that hubs are routers.
    for (const {
      prefix,
      ipv4Prefix,
      hubs: [hub = ''],
    } of shapes) {
      const { ipv6, ipv4 } = underlayOf(fleet, hub);
      await outside.must('ip', 'route', 'add', prefix, 'via', ipv6);
      if (ipv4Prefix !== null) await outside.must('ip', 'route', 'add', ipv4Prefix, 'via', ipv4);
    }
  });

  afterAll(async () => {
    device?.end();
    await fleet.end();
  });

  test.each(shapes.map((shape) => [shape.handle, shape] as const))(
    'agree on every packet of network "%s"',
    async (_name, shape) => {
      const number = shapes.indexOf(shape);
      const network = new KernelNetwork(fleet, shape, { revisions, number });
      const model = device.model(network, network.peerOf(shape.hubs[0] ?? ''));
      const world = new World({
        fleet,
        network,
        endpoints,
        device: model,
        firstFlow: 1000 * number,
      });
      network.setItem(model);
      const packets = new Packets(world, { fleet, network, device: model });
      for (const item of [...world.markerMappings(), ...world.markerRules()]) network.setItem(item);
      const play = async () => {
        await network.apply();
        await device.configure(network, model);
        await world.open();
        await compareConnections({ world, packets });
        for (let round = 0; round < roundsOfEach; round++) {
          change(network);
          await network.apply();
          await world.serve();
          const drawn = Array.from({ length: casesOfRound }, () => packets.draw(dice));
          await compare({ world, packets }, drawn);
          if (network.index.network.rematchConnections) await compareConnections({ world, packets });
        }
      };
      // The next network has the same ports.
      await inTurn(play, () => network.remove());
    },
    limitMs,
  );

  test('were asked often enough', () => {
    expect(compared).toBeGreaterThanOrEqual(shapes.length * roundsOfEach * casesOfRound);
  });

  /** What is lost on its way may have been lost for no reason: such packets are sent once more. */
  async function compare({ world, packets }: Sending, drawn: readonly Case[]): Promise<void> {
    let cases = drawn;
    for (let left = 3; ; left--) {
      const outcomes = await world.send(cases);
      const wrong = cases.filter((one) => !agrees(one, outcomes.get(one.shot.id)?.outcome));
      const lost = wrong.filter((one) => outcomes.get(one.shot.id)?.outcome === 'silent');
      if (lost.length < wrong.length || left === 0) {
        for (const one of wrong) {
          expect.fail(JSON.stringify({ seed, seen: outcomes.get(one.shot.id), ...one }, null, 1));
        }
      }
      if (lost.length === 0) break;
      cases = lost.map((one) => packets.again(one));
    }
    compared += drawn.length;
  }

  /** Those that are open go on while others like them may begin, and end otherwise: soon after rules change [9.35]. */
  async function compareConnections({ world, packets }: Sending): Promise<void> {
    const connections = world.connections().map((flow) => ({ flow, answer: packets.ofConnection(flow) }));
    const from = performance.now();
    for (;;) {
      const outcomes = await world.ask();
      const wrong = connections.flatMap(({ flow, answer }) => {
        const seen = outcomes.get(flow.id);
        return (answer.verdict === 'allowed') === (seen?.outcome === 'arrived') ? [] : { flow, seen, answer };
      });
      if (wrong.length === 0) return;
      if (performance.now() - from > rematchMs) expect.fail(JSON.stringify({ seed, wrong }, null, 1));
      // Their processors are the agents' too.
      await delay(250);
    }
  }

  function agrees({ expected, answer }: Case, seen: string | undefined): boolean {
    // Where there is no way, the sender's own machine may say so.
    return answer.verdict === 'no_route' ? seen !== 'arrived' : seen === expected;
  }

  /** Changes some of everything, as operators would. */
  function change(network: KernelNetwork): void {
    if (dice.share(0.3)) network.setPolicy(dice.pick('accept', 'drop'));
    for (const name of network.names)
      if (dice.share(0.3))
        network.setTags(
          name,
          tags.filter(() => dice.share(0.4)),
        );
    if (dice.share(0.3)) network.setRematch(dice.pick(true, true, false));
    for (const item of [...network.index.items()]) {
      if (item.type === 'user_device' && dice.share(0.3)) {
        network.setItem({ ...item, tags: tags.filter(() => dice.share(0.4)) });
      }
    }
    for (let n = 1; n <= drawnRules; n++) {
      const old = network.index.item(uuid(6, n));
      if (old !== undefined && dice.share(0.4)) network.removeItem(old);
    }
    for (let n = 1; n <= 3; n++) if (dice.share(0.4)) network.setItem(virtualIp(network, n));
    for (let n = 1; n <= 4; n++) if (dice.share(0.4)) network.setItem(mapping(network, n));
    for (let n = 1; n <= drawnRules; n++) {
      if (network.index.item(uuid(6, n)) === undefined && dice.share(0.6)) network.setItem(rule(network, n));
    }
  }

  function rule(network: KernelNetwork, n: number): Item {
    const idsOf = (type: Item['type']) =>
      [...network.index.items()].flatMap((item) => (item.type === type ? item.id : []));
    return randomRule(
      dice,
      {
        id: uuid(6, n),
        networkId: network.index.network.id,
        peers: network.names.map((name) => network.peerOf(name).id),
        devices: idsOf('user_device'),
        virtualIps: idsOf('virtual_ip'),
        tags,
        blocks: blocksOf(network.shape),
      },
      7000,
    );
  }

  function virtualIp(network: KernelNetwork, n: number): VirtualIpModel {
    const holder = network.peerOf(dice.one(network.names)).id;
    const isAnycast = n === 3;
    const others = network.names.map((name) => network.peerOf(name).id).filter((id) => id !== holder);
    return {
      type: 'virtual_ip',
      id: uuid(5, n),
      networkId: network.index.network.id,
      addresses: network.addresses(50 + n),
      anycast: isAnycast,
      // With one candidate nobody has to confirm that it still holds the address.
      candidates: isAnycast ? [holder, dice.one(others)] : [holder],
      holder: isAnycast || dice.share(0.1) ? null : holder,
      epoch: compared,
    };
  }

  function mapping(network: KernelNetwork, n: number): PortMappingModel {
    const hub = dice.one(network.shape.hubs);
    const { ipv6, ipv4 } = underlayOf(fleet, hub);
    const outside = underlayOf(fleet, outsideName);
    const family = network.shape.ipv4Prefix === null ? 6 : dice.pick(6, 4);
    const target = dice.share(0.6)
      ? ({ kind: 'peer', id: network.peerOf(dice.one(network.names)).id } as const)
      : ({ kind: 'virtual_ip', id: uuid(5, dice.pick(1, 2, 3)) } as const);
    const open = family === 6 ? `${outside.ipv6}/128` : `${outside.ipv4}/32`;
    const closed = family === 6 ? '2001:db8:300::/64' : '203.0.113.0/24';
    return {
      type: 'port_mapping',
      id: uuid(8, n),
      networkId: network.index.network.id,
      hubPeerId: network.peerOf(hub).id,
      externalAddress: family === 6 ? ipv6 : ipv4,
      externalPort: 7800 + n,
      protocol: dice.pick('tcp', 'udp'),
      target,
      targetPort: dice.pick(7000, 7001, 7002, 7003),
      sourceCidrs: dice.pick([], [open], [closed], [closed, open]),
      rateLimit: null,
      maxConnections: null,
    };
  }
});

/** Does each whatever became of those before, and tells all of their errors. */
async function inTurn(...steps: readonly (() => Promise<void>)[]): Promise<void> {
  const errors: Error[] = [];
  for (const step of steps) await step().catch((error: Error) => errors.push(error));
  if (errors.length > 1) throw new AggregateError(errors, errors.map(({ message }) => message).join('\n'));
  for (const error of errors) throw error;
}

/** Blocks that hold some of the network's addresses, all of them, and none. */
function blocksOf({ prefix, ipv4Prefix }: Shape): string[] {
  const base = prefix.replace('::/64', '');
  const ipv6 = [
    prefix,
    `${base}::/65`,
    `${base}::100/126`,
    `${base}::104/126`,
    `${base}::102/128`,
    'fd00::/8',
    '::/0',
  ];
  if (ipv4Prefix === null) return ipv6;
  const ipv4 = ipv4Prefix.replace(/\.0\.0\/18$/, '');
  return [...ipv6, ipv4Prefix, `${ipv4}.0.0/30`, `${ipv4}.0.4/30`, `${ipv4}.0.3/32`, '0.0.0.0/0'];
}
