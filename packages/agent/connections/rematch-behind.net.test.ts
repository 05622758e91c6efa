// Connections of hosts behind a node, and through its port mappings, in a real kernel when the rules change under them.
// Needs root.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { entriesOf, networkId, others, own } from '@powernode/core/compile/firewall/random-rules.fixture';
import type { EntryValue, RuleEntry } from '@powernode/core/wire/document';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addAddresses, addRoutes, connectByCable, type Pair } from '../fixtures/cables.ts';
import { freshFolder } from '../fixtures/folder.ts';
import { Namespace } from '../fixtures/namespace.ts';
import { RematchedNode } from '../fixtures/rematched-node.ts';
import { Streams } from '../fixtures/streams.ts';
import { mappingEntry, rule } from '../subsystems/nftables/chains/documents.fixture.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const port = 21_001;
const outsidePort = 21_900;
const [far = own]: readonly Pair[] = others;
const everywhere: Pair = ['default', 'default'];
const lanHost: Pair = ['fd00:7::20', '192.168.7.20'];
const container: Pair = ['fd00:17::2', '172.17.0.2'];
const stranger: Pair = ['2001:db8:7::7', '198.51.100.7'];
const external: Pair = ['2001:db8::5', '203.0.113.5'];

const open = { members: [], defaultPolicy: 'accept' } as const;
const host = ([six, four]: Pair) => ({ kind: 'host', addresses: [six, four] }) satisfies RuleEntry['from'];
const cidr = (text: string) => ({ kind: 'cidr', cidr: text }) satisfies RuleEntry['from'];

function lan(id: string, prefix: string): EntryValue {
  const of = { network_id: networkId, subnet_id: id, handle: 'test', source_nat: false };
  return { kind: 'lan', key: `lan/${id}`, ...of, prefix, local_prefix: prefix };
}
const lans = [lan('six', 'fd00:7::/64'), lan('four', '192.168.7.0/24')];

/** A LAN of another peer. */
const remotes = ['fd00:9::/64', '10.9.0.0/24'].map(
  (prefix, family): EntryValue => ({
    ...{ kind: 'subnet', key: `subnet/${prefix}`, network_id: networkId, subnet_id: prefix, prefix },
    ...{ peer_id: 'p', next_hop: far[family] ?? '', preference: 100 },
    by: [{ interface: 'wg-test', public_key: 'k' }],
  }),
);
const remoteHost: Pair = ['fd00:9::5', '10.9.0.5'];

/** Of both protocols, and both families. */
function mappingsFor(sources: readonly string[] = []): EntryValue[] {
  return [0, 1].flatMap((family) =>
    (['tcp', 'udp'] as const).map((protocol, i) =>
      mappingEntry(2 * family + i, {
        ...{ protocol, external_port: outsidePort, target_port: port, source_cidrs: [...sources] },
        external_address: external[family] ?? '',
        target_address: far[family] ?? '',
        source_address: own[family] ?? '',
      }),
    ),
  );
}

/** As Docker has it: what leaves from behind the bridge has the address of the machine. */
const masquerade = `table inet docker {
  chain post {
    type nat hook postrouting priority 100;
    iifname "docker0" ip6 saddr fd00:17::/64 snat ip6 to ${own[0]}
    iifname "docker0" ip saddr 172.17.0.0/16 snat ip to ${own[1]}
  }
}`;

describe.skipIf(!isRoot)('connections of hosts behind a node', () => {
  let node: Namespace;
  let neighbour: Namespace;
  let behind: Namespace;
  let streams: Streams;

  beforeEach(async () => {
    [node, neighbour, behind] = [await Namespace.open(), await Namespace.open(), await Namespace.open()];
    streams = new Streams();
    await node.must('sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1', 'net.ipv4.ip_forward=1');
    await connectByCable({ namespace: node, name: 'wg-test' }, { namespace: neighbour, name: 'cable' });
    await addAddresses(node, 'lo', own);
    await addAddresses(neighbour, 'lo', far);
    await addRoutes(node, 'wg-test', far);
    await addRoutes(neighbour, 'cable', everywhere);
  });
  afterEach(async () => {
    await streams.end();
    for (const namespace of [node, neighbour, behind]) await namespace.end();
  });

  /** `behind` is there, at an interface of the node. */
  async function place(device: string, addresses: Pair) {
    await connectByCable({ namespace: node, name: device }, { namespace: behind, name: 'cable' });
    await addAddresses(behind, 'lo', addresses);
    await addRoutes(behind, 'cable', everywhere);
    await addRoutes(node, device, addresses);
  }

  const nodeWith = (bridged: readonly string[] = []) =>
    new RematchedNode(node, {
      ends: { addresses: new Set(own), hasBridges: bridged.length > 0, bridged },
      bridges: bridged.length > 0 ? ['docker0'] : [],
    });

  for (const family of [0, 1] as const) {
    const over = `over IPv${family === 0 ? 6 : 4}`;

    test.each<readonly [name: string, rules: readonly RuleEntry[], isInto: boolean]>([
      [
        'from a peer to a LAN',
        [rule(1, { action: 'drop', to: cidr(['fd00:7::/64', '192.168.7.0/24'][family] ?? '') })],
        true,
      ],
      ['from a LAN to a peer', [rule(1, { action: 'drop', direction: 'egress', to: host(far) })], false],
    ])(`%s are ended by a rule that denies them, ${over} [9.35]`, async (_, rules, isInto) => {
      await place('eth-lan', lanHost);
      const rematched = nodeWith();
      await rematched.apply([...entriesOf({ ...open, rules: [] }), ...lans]);
      const [client, server] = isInto ? [neighbour, behind] : [behind, neighbour];
      const [source, destination] = isInto ? [far, lanHost] : [lanHost, far];
      await streams.start({ server, client, port, source: source[family], destination: destination[family] });
      await rematched.apply([...entriesOf({ ...open, rules }), ...lans]);
      await expect.poll(() => streams.countOf('tcp_closed')).toBe(1);
      await streams.stopped();
      await rematched.apply([...entriesOf({ ...open, rules: [] }), ...lans]);
      await streams.goesOn('udp_received');
    });

    test(`from a LAN that is no longer in the network are ended, ${over} [9.35]`, async () => {
      await place('eth-lan', lanHost);
      const rematched = nodeWith();
      await rematched.apply([...entriesOf({ ...open, rules: [] }), ...lans]);
      const ends = { source: lanHost[family], destination: far[family] };
      await streams.start({ server: neighbour, client: behind, port, ...ends });
      await rematched.apply(entriesOf({ ...open, rules: [] }));
      await streams.stopped();
    });

    test(`that a container opens are ended by a rule that denies them, ${over} [9.35]`, async () => {
      await place('docker0', container);
      expect((await node.attempt({ program: 'nft', args: ['-f', '-'], input: masquerade })).exitCode).toBe(0);
      const rematched = nodeWith(['172.17.0.0/16', 'fd00:17::/64']);
      await rematched.apply(entriesOf({ ...open, rules: [] }));
      const ends = { source: container[family], destination: far[family] };
      await streams.start({ server: neighbour, client: behind, port, ...ends });
      await rematched.apply(
        entriesOf({ ...open, rules: [rule(1, { action: 'drop', direction: 'egress', to: host(far) })] }),
      );
      await streams.stopped();
      await rematched.apply(entriesOf({ ...open, rules: [] }));
      await streams.goesOn('udp_received');
    });

    test(`from a LAN are ended beside very many that lead elsewhere, ${over} [9.35]`, async () => {
      await place('eth-lan', lanHost);
      await addAddresses(neighbour, 'lo', remoteHost);
      await addRoutes(node, 'wg-test', remoteHost);
      const rematched = nodeWith();
      rematched.listedBytesMax = 20_000;
      const entries = entriesOf({ ...open, rules: [] });
      await rematched.apply([...entries, ...lans, ...remotes]);
      const ends = { source: lanHost[family], destination: remoteHost[family] };
      await streams.start({ server: neighbour, client: behind, port, listen: ends.destination, ...ends });
      const elsewhere = Array.from(
        { length: 1_000 },
        (_, i) =>
          `-A -p udp -s ${lanHost[family]} -d ${stranger[family]} --sport ${1 + i} --dport 53 -t 600\n`,
      );
      const file = path.join(freshFolder().path, 'elsewhere');
      writeFileSync(file, elsewhere.join(''));
      await node.must('conntrack', '-R', file);
      const of = ['-f', `ipv${family === 0 ? 6 : 4}`, '-s', lanHost[family]];
      expect((await node.must('conntrack', '-L', ...of)).length).toBeGreaterThan(rematched.listedBytesMax);
      const to = cidr(['fd00:9::/64', '10.9.0.0/24'][family] ?? '');
      const denied = rule(1, { action: 'drop', direction: 'egress', to });
      await rematched.apply([...entriesOf({ ...open, rules: [denied] }), ...lans, ...remotes]);
      await expect.poll(() => streams.countOf('tcp_closed')).toBe(1);
      await streams.stopped();
    });

    test(`are told from translated ones of the same ends, ${over} [9.35]`, async () => {
      const rematched = nodeWith();
      const entries = entriesOf({ ...open, rules: [] });
      await rematched.apply([...entries, ...lans]);
      const [source, destination] = [far[family], own[family]];
      const ends = ['-p', 'udp', '-s', source, '-d', destination, '--dport', '53', '-t', '600'];
      await node.must('conntrack', '-I', ...ends, '--sport', '5');
      await node.must('conntrack', '-I', ...ends, '--sport', '6', '--dst-nat', lanHost[family]);
      const ended = async () => {
        const of = ['-f', `ipv${family === 0 ? 6 : 4}`, '-s', source, '-m', '0x8000000/0x8000000'];
        const lines = await node.must('conntrack', '-L', ...of);
        return [...lines.matchAll(/src=\S+ dst=\S+ sport=(\d+) dport=53 /g)].map(([, port]) => port);
      };
      const drop = (to: RuleEntry['to']) => entriesOf({ ...open, rules: [rule(1, { action: 'drop', to })] });
      await rematched.apply([...drop(host(own)), ...lans]);
      expect(await ended()).toEqual(['5']);
      await rematched.apply([...drop(cidr(['fd00:7::/64', '192.168.7.0/24'][family] ?? '')), ...lans]);
      expect(await ended()).toEqual(['6']);
      await rematched.apply([...entries, ...lans]);
      expect(await ended()).toEqual([]);
    });

    test.each<readonly [name: string, mappings: readonly EntryValue[]]>([
      ['is deleted', []],
      ['has other sources', mappingsFor(['203.0.113.128/25', '2001:db8:8::/48'])],
    ])(`through a port mapping are ended when it %s, ${over} [9.35]`, async (_, mappings) => {
      await place('eth-out', stranger);
      await addAddresses(node, 'lo', external);
      const rematched = nodeWith();
      const entries = entriesOf({ ...open, rules: [] });
      await rematched.apply([...entries, ...mappingsFor()]);
      const to = { destination: external[family], outsidePort };
      await streams.start({ server: neighbour, client: behind, port, source: stranger[family], ...to });
      // What does not concern them leaves them alone.
      await rematched.apply([
        ...entriesOf({ ...open, rules: [rule(1, { protocol: 'tcp', ports: [22, 22] })] }),
        ...mappingsFor(),
      ]);
      await streams.goesOn('tcp_received');
      await streams.goesOn('udp_received');
      await rematched.apply([...entries, ...mappings]);
      await expect.poll(() => streams.countOf('tcp_closed')).toBe(1);
      await streams.stopped();
    });
  }
});
