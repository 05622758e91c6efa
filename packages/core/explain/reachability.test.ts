// Following packets through documents, against what the whole network's rules say at both ends; and what is said of
// packets that get nowhere.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { haveSession } from '../compile/bgp-entries.ts';
import { NetworkIndex } from '../compile/network-index.ts';
import { bfdPorts, bgpPort } from '../limits/routing.ts';
import { seededRandom } from '../testing/random.ts';
import type { QuestionEnd } from './ends.ts';
import { type EvaluatedPacket, evaluate } from './evaluate.ts';
import { type MatrixNode, matrixNodes, matrixRows } from './matrix.ts';
import { isPeer, NetworkSnapshot, type Owner } from './network-snapshot.ts';
import { Dice, RandomNetwork, uuid } from './random-network.fixture.ts';
import { explain, type Question } from './reachability.ts';

const runs = Number(process.env['RUNS'] ?? 60);

const indexOf = (network: RandomNetwork) =>
  new NetworkIndex(network.network, network.peers(), network.items());
const nameOf = ({ type, id }: { readonly type: string; readonly id: string }) => `${type}:${id.slice(-2)}`;

/** Whom an address is of: a member, or the preferred peer in front of its LAN. */
interface Side {
  readonly kind: 'peer' | 'virtual_ip' | 'user_device' | 'lan';
  /** The node at which its packets come into the network. */
  readonly home: string | null;
  /** The nodes at which packets for it leave the network. */
  readonly homes: readonly (string | null)[];
}

function sideOf(snapshot: NetworkSnapshot, text: string): Side | null {
  const address = snapshot.address(text);
  if (address === null) return null;
  const owner = snapshot.owner(address);
  if (owner !== undefined) {
    const home = homeOf(owner);
    return { kind: isPeer(owner) ? 'peer' : owner.type, home, homes: [home] };
  }
  const homes = snapshot.subnetsAt(address).map(({ peerId }) => peerId);
  return homes.length === 0 ? null : { kind: 'lan', home: homes[0] ?? null, homes };
}

/** The node at which packets of an owner come into the network and leave it. */
function homeOf(owner: Owner): string | null {
  if (isPeer(owner)) return owner.id;
  return owner.type === 'user_device' ? owner.hubPeerId : owner.holder;
}

/** What is decided of packets for the daemons of a peer before any rule; null: it is no such packet. */
function ofDaemons(
  { network }: RandomNetwork,
  snapshot: NetworkSnapshot,
  { protocol, port, source, destination }: Omit<EvaluatedPacket, 'direction'>,
): 'allowed' | 'denied' | null {
  const isDaemons =
    (protocol === 'tcp' && port === bgpPort) ||
    (protocol === 'udp' && port !== null && bfdPorts.includes(port));
  const peerAt = (text: string) => {
    const address = snapshot.address(text);
    const owner = address === null ? undefined : snapshot.owner(address);
    return owner !== undefined && isPeer(owner) && owner.hostAddress === text ? owner : null;
  };
  const [from, to] = [peerAt(source), peerAt(destination)];
  if (network.asNumber === undefined || !isDaemons || to === null) return null;
  return from !== null && haveSession(network, from, to) ? 'allowed' : 'denied';
}

/** A hub reaches every peer, so the rules decide alone. */
function expected(
  network: RandomNetwork,
  snapshot: NetworkSnapshot,
  packet: Omit<EvaluatedPacket, 'direction'>,
): string {
  const [source, destination] = [sideOf(snapshot, packet.source), sideOf(snapshot, packet.destination)];
  if (source === null || destination === null) return 'no_route';
  const from = source.home;
  if (from === null || destination.home === null) return 'no_route';
  const isDevice = (side: Side) => side.kind === 'user_device';
  if (destination.homes.includes(from) && !isDevice(source) && !isDevice(destination)) {
    // An address of a peer is closed to its own LAN.
    return source.kind === 'lan' && destination.kind !== 'lan' ? 'denied' : 'allowed';
  }
  const before = ofDaemons(network, snapshot, packet);
  if (before !== null) return before;
  const networkRules = {
    rules: network.entries(),
    members: network.members(),
    defaultPolicy: network.network.firewallDefaultPolicy,
  };
  const verdicts = (['egress', 'ingress'] as const).map(
    (direction) => evaluate({ direction, ...packet }, networkRules).verdict,
  );
  return verdicts.every((verdict) => verdict === 'accept') ? 'allowed' : 'denied';
}

function check(
  seed: number,
  { lans = 0, bgp = false }: { readonly lans?: number; readonly bgp?: boolean },
): void {
  const dice = new Dice(seededRandom(seed));
  const size = { peers: 5, devices: 3, rules: dice.below(25), bgp };
  const network = new RandomNetwork(dice, lans === 0 ? size : { ...size, lans });
  const ports = [0, 1, 2, 3, 4, ...(bgp ? [bgpPort, bgpPort, ...bfdPorts] : [])];
  const snapshot = new NetworkSnapshot(indexOf(network));
  const behindPeers = lans === 0 ? [] : [...network.lanAddresses(), ...network.lanAddresses()];
  const addresses = [...network.addresses(), ...behindPeers];
  for (let i = 0; i < 40; i++) {
    const protocol = dice.pick('tcp', 'udp', 'icmp6');
    const port = protocol === 'icmp6' ? null : dice.one(ports);
    const source = dice.one(addresses);
    const destination = dice.one(addresses.filter((one) => one.includes(':') === source.includes(':')));
    const answer = explain(
      { snapshot, nameOf },
      {
        source: { kind: 'address', address: source },
        destination: { kind: 'address', address: destination },
        protocol,
        port,
      },
    );
    const why = () =>
      `${source} ${destination} ${protocol} ${port} ${JSON.stringify(answer.because, null, 1)}`;
    const wanted = expected(network, snapshot, { source, destination, protocol, port });
    if (answer.verdict !== wanted) expect.fail(`${answer.verdict} and not ${wanted}: ${why()}`);
  }
}

test('ends as the rules at both ends say, wherever these are kept', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => check(seed, {})),
    { numRuns: runs },
  );
}, 600_000);

test('a peer is evaluated for the LANs behind it, whichever peers are in front of a prefix', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 6 }), (seed, lans) => check(seed, { lans })),
    { numRuns: runs },
  );
}, 600_000);

test('where peers speak BGP, their daemons are open to neighbors alone, whatever the rules say', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 3 }), (seed, lans) =>
      check(seed, { lans, bgp: true }),
    ),
    { numRuns: runs },
  );
}, 600_000);

/** A prefix behind peers by its first address. */
function endOf(network: RandomNetwork, { kind, id }: MatrixNode): QuestionEnd {
  if (kind !== 'subnet_advertisement') return { kind, id };
  const item = network.item(id);
  if (item?.type !== kind) throw new Error('a node of nobody');
  return { kind: 'address', address: `${item.prefix.replace(/\/\d+$/, '').replace(/\.0$/, '.')}1` };
}

test('the matrix is what the explanation says, for every pair', () => {
  const network = new RandomNetwork(new Dice(seededRandom(7)), { peers: 5, devices: 2, rules: 20, lans: 3 });
  const snapshot = new NetworkSnapshot(indexOf(network));
  const { nodes, truncated } = matrixNodes(snapshot);
  expect(truncated).toBe(false);
  const traffic = { protocol: 'tcp', port: 2 } as const;
  const rows = [...matrixRows(snapshot, nodes, traffic)].filter((row) => row !== null);
  expect(rows.map(({ id }) => id)).toEqual(
    nodes.filter(({ kind }) => kind !== 'virtual_ip').map(({ id }) => id),
  );
  for (const { id, verdicts } of rows) {
    const source = nodes.find((node) => node.id === id);
    if (source === undefined) throw new Error('a row of nobody');
    for (const [i, destination] of nodes.entries()) {
      const [from, to] = [endOf(network, source), endOf(network, destination)];
      const { verdict } = explain({ snapshot, nameOf }, { source: from, destination: to, ...traffic });
      expect(verdicts[i]).toBe(id === destination.id ? '-' : verdict[0]);
    }
  }
});

describe('an explanation', () => {
  const quiet = () => {
    const network = new RandomNetwork(new Dice(seededRandom(3)), { peers: 4, devices: 1, rules: 0 });
    return Object.assign(network, {
      network: { ...network.network, firewallDefaultPolicy: 'accept' as const },
    });
  };
  const peer = (n: number): QuestionEnd => ({ kind: 'peer', id: uuid(2, n) });

  function ask(network: RandomNetwork, question: Partial<Question>) {
    const snapshot = new NetworkSnapshot(indexOf(network));
    const { verdict, because } = explain(
      { snapshot, nameOf },
      { source: peer(3), destination: peer(4), protocol: 'tcp', port: 80, ...question },
    );
    return {
      verdict,
      steps: because.map(({ step, peerId, detail }) => `${peerId?.slice(-1) ?? '-'} ${step}: ${detail}`),
    };
  }

  test('goes by the hub that the spoke prefers, and names the others', () => {
    const { verdict, steps } = ask(quiet(), {});
    expect(verdict).toBe('allowed');
    const route = steps.find((step) => step.startsWith('3 route'));
    expect(route).toMatch(/by wg-net-[12] \(wg-net-[12] when that path is down\)\.$/);
  });

  test('goes by the hub that is in use, when that is known', () => {
    const snapshot = new NetworkSnapshot(indexOf(quiet()));
    for (const name of ['wg-net-1', 'wg-net-2']) {
      const inUse = (peerId: string, destination: string) =>
        peerId === uuid(2, 3) && destination === 'fd00:5::/64' ? name : null;
      const { because } = explain(
        { snapshot, nameOf, inUse },
        { source: peer(3), destination: peer(4), protocol: 'tcp', port: 80 },
      );
      expect(because.find(({ step }) => step === 'tunnel')?.object).toEqual({ type: 'interface', id: name });
    }
  });

  test('stays on the machine when it asks for itself', () => {
    const { verdict, steps } = ask(quiet(), { destination: peer(3) });
    expect(verdict).toBe('allowed');
    expect(steps.join('\n')).toContain('does not leave the instance');
  });

  test('ends where nobody holds a virtual IP', () => {
    const network = quiet();
    const [virtualIp] = [...network.items()].filter((item) => item.type === 'virtual_ip');
    if (virtualIp?.type !== 'virtual_ip') throw new Error('no virtual IP');
    network.add({ ...virtualIp, holder: null });
    const { verdict, steps } = ask(network, { destination: { kind: 'virtual_ip', id: virtualIp.id } });
    expect(verdict).toBe('no_route');
    expect(steps.join('\n')).toContain('which no peer holds now');
  });

  test('finds the first of those who answer for an anycast address', () => {
    const network = quiet();
    const [virtualIp] = [...network.items()].filter((item) => item.type === 'virtual_ip');
    if (virtualIp?.type !== 'virtual_ip') throw new Error('no virtual IP');
    network.add({ ...virtualIp, anycast: true, holder: null, candidates: [uuid(2, 4), uuid(2, 1)] });
    const { verdict, steps } = ask(network, { destination: { kind: 'virtual_ip', id: virtualIp.id } });
    expect(verdict).toBe('allowed');
    expect(steps.at(-1)).toMatch(/^[41] verdict/);
  });

  test('answers only probes at the addresses for probes', () => {
    const network = quiet();
    const { verdict, steps } = ask(network, {
      destination: { kind: 'address', address: 'fd00:5::fe01:0:0:101' },
    });
    expect(verdict).toBe('denied');
    expect(steps.join('\n')).toContain('Only probes');
  });

  test('says whom BGP and BFD of a peer are open to, in the explanation and in the matrix', () => {
    const network = quiet();
    Object.assign(network, { network: { ...network.network, asNumber: 64_512 } });
    network.add({
      ...{ type: 'firewall_rule', id: uuid(6, 1), networkId: network.network.id, enabled: true },
      ...{ direction: 'both', action: 'drop', selector: { kind: 'all' }, destination: { kind: 'all' } },
      ...{ protocol: 'any', ports: null },
    });
    const client = ask(network, { port: bgpPort });
    expect(client.verdict).toBe('denied');
    expect(client.steps).toContain('3 egress: The rule "firewall_rule:01" drops it.');
    const hub = ask(network, { destination: peer(1), port: bgpPort });
    expect(hub.verdict).toBe('allowed');
    expect(hub.steps.filter((step) => step.includes('BGP neighbors'))).toHaveLength(2);
    network.remove(uuid(6, 1));
    const closed = ask(network, { protocol: 'udp', port: 3784 });
    expect(closed.verdict).toBe('denied');
    expect(closed.steps.at(-2)).toBe(
      '4 ingress: UDP port 3784 is BFD: at fd00:5::104 it is closed to all but its BGP neighbors, whatever the rules say.',
    );
    const snapshot = new NetworkSnapshot(indexOf(network));
    const { nodes } = matrixNodes(snapshot);
    const rows = [...matrixRows(snapshot, nodes, { protocol: 'tcp', port: bgpPort })];
    const row = rows.find((one) => one?.id === uuid(2, 3));
    expect(row?.verdicts.slice(0, 4)).toBe('aa-d');
  });

  test('says that a peer without an IPv4 address has no way to one', () => {
    const network = quiet();
    const snapshot = new NetworkSnapshot(
      new NetworkIndex(
        { ...network.network, ipv4Prefix: '100.64.0.0/18' },
        Array.from(network.peers(), (one) => ({ ...one, ipv4Address: null })),
        [],
      ),
    );
    const { verdict, because } = explain(
      { snapshot, nameOf },
      { source: peer(3), destination: { kind: 'address', address: '100.64.0.9' }, protocol: 'tcp', port: 80 },
    );
    expect(verdict).toBe('no_route');
    expect(because[0]?.detail).toBe('peer:03 has no IPv4 address in the network.');
  });
});
