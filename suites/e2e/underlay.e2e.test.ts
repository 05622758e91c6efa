// Random changes of a network of real machines, drawn to hit what carries it: their own networks of both families, gateways,
// endpoints and the platform, by blocks of networks and pods, LANs behind peers, port mappings and endpoints. No machine may lose the platform for longer than a change needs to be taken back; each change is refused
// with a reason, does no harm, or is taken back and shown. POWERNODE_UNDERLAY_CHANGES and POWERNODE_UNDERLAY_SEED say
// how many and which.
import path from 'node:path';
import { fleetActions } from '@powernode/core/actions/fleet';
import { portMappingActions } from '@powernode/core/actions/port-mappings';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { subnetActions } from '@powernode/core/actions/subnets';
import { familyOf, parseAddress } from '@powernode/core/net/address';
import { formatPrefix, hostMask } from '@powernode/core/net/prefix';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type Call, RefusedError } from '../../packages/lab/fleet/api.ts';
import { checkout } from '../../packages/lab/fleet/programs.ts';
import { type Lab, upFile } from '../../packages/lab/lab.ts';
import { waitFor } from '../../packages/lab/stage/process.ts';
import { ownLabFolder, uniqueName } from '../../packages/lab/testing/scene.ts';
import { Chance } from '../stage/random.ts';

const changes = Number(process.env['POWERNODE_UNDERLAY_CHANGES'] ?? 50);
const seed = Number(process.env['POWERNODE_UNDERLAY_SEED'] ?? Date.now() % 1_000_000);
const lossMaxMs = 30_000;
/** Whoever is lost for so long has gone back, and says so. */
const shownAfterMs = 20_000;
const limitMs = 180_000;
/** The IPv6 network of the machines' own link. */
const ulaLink = 'fd5a:17:90:1::';
const hosts = ['hub1', 'hub2', 'edge1', 'edge2', 'edge3'] as const;

let lab: Lab;
let call: Call;
let removeFolder: () => Promise<void>;

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  lab = await upFile(path.join(checkout, 'examples/labs/quickstart.yaml'), { name: uniqueName('underlay') });
  call = await lab.platform('main');
  // The lab's links have IPv4 only: with these, there is something of IPv6 to hit.
  for (const [i, host] of hosts.entries()) {
    const address = `${ulaLink}${i + 1}/64`;
    const args = ['-6', 'address', 'add', address, 'dev', 'eth0', 'nodad'];
    expect((await lab.exec(host, { program: 'ip', args })).exitCode).toBe(0);
  }
});

afterAll(async () => {
  await lab?.down();
  await removeFolder();
});

const shown = z.array(
  z.looseObject({
    dst: z.string().optional(),
    gateway: z.string().optional(),
    addr_info: z.array(z.looseObject({ local: z.string() })).optional(),
  }),
);

/** Addresses of both families that machines have or reach their platform by, but not those of overlays. */
async function targets(): Promise<string[]> {
  const found = new Set<string>();
  const add = (text: string | null | undefined) => {
    if (text != null && parseAddress(text) !== null) found.add(text);
  };
  const looks = [
    ['address', 'show', 'dev', 'eth0'],
    ['-4', 'route', 'show', 'dev', 'eth0'],
    ['-6', 'route', 'show', 'dev', 'eth0'],
  ];
  for (const host of hosts) {
    for (const what of looks) {
      const { stdout } = await lab.exec(host, { program: 'ip', args: ['-json', ...what] });
      for (const one of shown.parse(JSON.parse(stdout))) {
        add(one.gateway);
        for (const { local } of one.addr_info ?? []) add(local);
      }
    }
  }
  const { instances } = await call(fleetActions.listInstances, { limit: 500 });
  for (const { observed_address: observed } of instances) add(observed);
  return [...found].sort();
}

/** A block around an address. */
function blockAround(text: string, length: number): string {
  const address = parseAddress(text);
  if (address === null) throw new Error(text);
  const block = { ...address, length };
  return formatPrefix({ ...block, bits: block.bits & ~hostMask(block) });
}

/** Of the sizes that somebody would give: from a part of the internet to a few hosts. */
function anyBlockAround(text: string, chance: Chance): string {
  return blockAround(text, familyOf(text) === 4 ? 9 + chance.below(22) : 16 + chance.below(100));
}

/** Watches how long each machine is without the platform. */
class Losses {
  readonly #since = new Map<string, number>();
  longestMs = 0;
  /** Ids of machines that were lost for as long as a change needs to be taken back. */
  readonly lost = new Set<string>();
  #over = false;
  #done: Promise<void> = Promise.resolve();

  start(): void {
    this.#done = (async () => {
      while (!this.#over) {
        const { instances } = await call(fleetActions.listInstances, { limit: 500 });
        const now = Date.now();
        for (const { id, connected } of instances) {
          if (connected) this.#since.delete(id);
          else if (!this.#since.has(id)) this.#since.set(id, now);
          const lostMs = now - (this.#since.get(id) ?? now);
          this.longestMs = Math.max(this.longestMs, lostMs);
          if (lostMs >= shownAfterMs) this.lost.add(id);
        }
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    })();
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#done;
  }
}

/** Every machine is connected, and has what it should or shows what it took back. */
async function settled(): Promise<{ readonly back: number }> {
  return waitFor({ what: 'every machine to have applied or taken back the change', limitMs }, async () => {
    const { instances } = await call(fleetActions.listInstances, { limit: 500 });
    const back = instances.filter(({ problems }) =>
      problems.some(({ code }) => code === 'change_rolled_back'),
    );
    const isDone = instances.every((one) => one.connected && (one.in_sync || back.includes(one)));
    return isDone ? { back: back.length } : null;
  });
}

/** Every spoke hears one of its hubs, or says that it went back to where it does. */
async function hubsAreThere(networkId: string): Promise<boolean> {
  const { topology } = await call(sdwanActions.getTopology, { network_id: networkId });
  const hubs = topology.nodes.flatMap((node) => (node.role === 'hub' ? [node.host_address] : []));
  const answers = await Promise.all(
    ['edge1', 'edge2', 'edge3'].map(async (host) => {
      for (const hub of hubs) {
        const ping = { program: 'ping', args: ['-n', '-c', '1', '-W', '1', hub] };
        if ((await lab.exec(host, ping)).exitCode === 0) return true;
      }
      return false;
    }),
  );
  return answers.every(Boolean);
}

const firstKinds = ['endpoints', 'prefix', 'lan', 'mapping'] as const;

test('changes drawn to hit the underlay lose no machine for more than 30 s; each is refused or taken back and shown [9.10]', async () => {
  process.stdout.write(`${changes} changes, seed ${seed}\n`);
  const chance = new Chance(seed);
  const places = await targets();
  expect(places.length).toBeGreaterThan(5);
  const { networks } = await call(sdwanActions.listNetworks, {});
  const network = networks[0];
  if (network === undefined) throw new Error('the lab has no network');
  const { peers } = await call(sdwanActions.listPeers, { network_id: network.id });
  const hubs = peers.filter(({ role }) => role === 'hub');
  const losses = new Losses();
  losses.start();
  let longestHubLossMs = 0;
  const counted = { refused: 0, survived: 0, takenBack: 0 };
  const spokes = peers.filter(({ role }) => role === 'spoke');
  const ipv4 = places.filter((one) => familyOf(one) === 4);
  const ula = places.filter((one) => one.startsWith('fd'));
  expect(ula.length).toBe(hosts.length);
  const ipv4Block = () => anyBlockAround(chance.oneOf(ipv4) ?? '', chance);
  const block = () => anyBlockAround(chance.oneOf(places) ?? '', chance);
  const update = (input: object) => call(sdwanActions.updateNetwork, { network_id: network.id, ...input });
  const kinds = {
    ipv4Prefix: () => update({ ipv4_prefix: ipv4Block() }),
    pods: () => update({ pod_subnet_prefix: block() }),
    network: (i: number) => withNetwork({ name: `hit ${i}`, ipv4_prefix: ipv4Block() }),
    prefix: (i: number) => {
      const around = chance.below(2) === 0 ? (chance.oneOf(ula) ?? '') : `fd${10 + chance.below(90)}::1`;
      return withNetwork({ name: `hit ${i}`, prefix: blockAround(around, 64) });
    },
    lan: () => withLan(block()),
    mapping: () => withMapping(chance.oneOf(places) ?? ''),
    elsewhere: () => update({ ipv4_prefix: `10.${chance.below(256)}.${chance.below(256)}.0/24` }),
    endpoints: () => withLostHubs(`198.51.100.${200 + chance.below(50)}:51820`),
  };
  const weights = {
    ipv4Prefix: 8,
    pods: 4,
    network: 4,
    prefix: 4,
    lan: 6,
    mapping: 4,
    elsewhere: 3,
    endpoints: 1,
  };
  const drawn = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, 0]));
  for (let i = 0; i < changes; i++) {
    // Of all these only wrong endpoints are nothing that the platform could know, so they come in every run; so do the
    // kinds that are less often drawn.
    const kind = firstKinds[i] ?? chance.weighted(weights);
    drawn[kind] = (drawn[kind] ?? 0) + 1;
    const outcome = await attempt(() => kinds[kind](i));
    if (outcome === 'refused') counted.refused++;
    else counted.survived++;
    if (outcome === 'done') counted.takenBack += (await settled()).back;
  }
  await settled();
  await waitFor({ what: 'hubs to be heard', limitMs }, () => hubsAreThere(network.id));
  await losses.stop();
  process.stdout.write(
    `${JSON.stringify({ seed, changes, drawn, ...counted, longestLossMs: losses.longestMs, longestHubLossMs })}\n`,
  );
  expect(counted.refused).toBeGreaterThan(changes / 4);
  expect(losses.longestMs).toBeLessThan(lossMaxMs);
  const { events } = await call(fleetActions.recentEvents, {
    kind_prefix: 'system.instance.rolled_back',
    limit: 500,
  });
  const told = new Set(events.map(({ payload }) => payload['node_instance_id']));
  expect([...losses.lost].filter((id) => !told.has(id))).toEqual([]);

  async function withNetwork(input: {
    readonly name: string;
    readonly prefix?: string;
    readonly ipv4_prefix?: string;
  }): Promise<void> {
    const made = await call(sdwanActions.createNetwork, input);
    try {
      for (const peer of chance.below(2) === 0 ? hubs : peers) {
        const place = { network_id: made.network.id, node_instance_id: peer.node_instance_id };
        await call(sdwanActions.attachPeer, place);
      }
      await settled();
    } finally {
      await call(sdwanActions.deleteNetwork, { network_id: made.network.id, approve: true });
    }
  }

  /** Somebody says that a spoke is in front of what others need. */
  async function withLan(prefix: string): Promise<void> {
    const peer_id = (chance.oneOf(spokes) ?? spokes[0])?.id ?? '';
    await call(subnetActions.declareLanSubnets, { peer_id, subnets: [{ prefix }] });
    try {
      await settled();
    } finally {
      await call(subnetActions.declareLanSubnets, { peer_id, subnets: [], approve: true });
    }
  }

  /** A port that something else of the machine has, perhaps, is given away. */
  async function withMapping(address: string): Promise<void> {
    const { port_mapping: made } = await call(portMappingActions.createPortMapping, {
      network_id: network?.id ?? '',
      external_address: address,
      external_port: chance.oneOf([22, 443, 7070, 7443, 51820, 51821]) ?? 22,
      internal_peer_id: spokes[0]?.id ?? '',
      internal_port: 443,
      protocol: chance.below(2) === 0 ? 'tcp' : 'udp',
    });
    try {
      await settled();
    } finally {
      await call(portMappingActions.deletePortMapping, { port_mapping_id: made.id, approve: true });
    }
  }

  /** All hubs are told to be where nobody is. Spokes find them again by WireGuard's roaming, or by going back. */
  async function withLostHubs(endpoint: string): Promise<void> {
    try {
      for (const hub of hubs) {
        await call(sdwanActions.updatePeer, { peer_id: hub.id, endpoint_address: endpoint });
      }
      const startedAt = Date.now();
      await settled();
      await waitFor({ what: 'hubs to be heard again', limitMs }, () => hubsAreThere(network?.id ?? ''));
      longestHubLossMs = Math.max(longestHubLossMs, Date.now() - startedAt);
    } finally {
      for (const hub of hubs) {
        const back = { peer_id: hub.id, endpoint_address: hub.endpoint_address };
        await call(sdwanActions.updatePeer, back);
      }
    }
    await waitFor({ what: 'nothing to be held back', limitMs }, async () => (await settled()).back === 0);
  }
}, 3_600_000);

async function attempt(change: () => Promise<unknown>): Promise<'done' | 'refused'> {
  try {
    await change();
    return 'done';
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    expect(['conflict', 'validation_failed', 'pool_exhausted']).toContain(error.refusal);
    return 'refused';
  }
}
