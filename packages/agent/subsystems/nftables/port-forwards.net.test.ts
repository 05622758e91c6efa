// Port mappings, guarded addresses and what is kept apart, in a real kernel: a hub between the outside, another network of its
// own, and a peer of the overlay. Needs root.
import { networkId } from '@powernode/core/compile/firewall/random-rules.fixture';
import type { EntryValue, PortMappingEntry, VirtualIpEntry } from '@powernode/core/wire/document';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noListeners } from '../../apply/kernel-machine.ts';
import { addAddresses, addRoutes, connectByCable, type Pair } from '../../fixtures/cables.ts';
import { Namespace } from '../../fixtures/namespace.ts';
import { InnerProgram } from '../../fixtures/program.ts';
import type { Visit, VisitAnswer } from '../../fixtures/visitor-main.ts';
import { systemClock } from '../../ports/clock.ts';
import { interfaceNamed, mappingEntry } from './chains/documents.fixture.ts';
import { rulesetFor } from './chains/rulesets.fixture.ts';
import { NftTable } from './table.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

const hubOutside: Pair = ['2001:db8::5', '203.0.113.5'];
const hubInside: Pair = ['fd00:99::101', '100.64.0.1'];
const visitorAt: Pair = ['2001:db8::9', '203.0.113.9'];
const strangerAt: Pair = ['2001:db8:7::9', '198.51.100.9'];
const peerAt: Pair = ['fd00:99::102', '100.64.0.2'];
const virtual: Pair = ['fd00:99::111', '100.64.0.17'];
const elsewhereAt: Pair = ['2001:db8:1::9', '192.0.2.9'];

const servicePort = 7000;
const families = [0, 1] as const;

const leased: VirtualIpEntry = {
  kind: 'virtual_ip',
  network_id: networkId,
  virtual_ip_id: 'vip',
  interface: 'wg-test',
  addresses: [`${virtual[0]}/128`, `${virtual[1]}/32`],
  epoch: 1,
  lease: { witnesses: ['fd00:99:0:0:fe01::102'], enough: 1 },
};

const hubDocument: readonly EntryValue[] = [
  interfaceNamed('wg-test', networkId, { addresses: [`${hubInside[0]}/128`, `${hubInside[1]}/32`] }),
  { kind: 'forwarding', network_id: networkId, handle: 'test' },
  {
    kind: 'firewall',
    network_id: networkId,
    handle: 'test',
    prefixes: ['fd00:99::/64', '100.64.0.0/18'],
    default_policy: 'accept',
    rematch: true,
  },
];

/** A port mapping in each family, on ports that no other test has. */
function mappings(number: number, rest: Partial<PortMappingEntry> = {}, target = peerAt): PortMappingEntry[] {
  return families.map((family) =>
    mappingEntry(number, {
      port_mapping_id: `mapping-${number}-${family}`,
      external_address: hubOutside[family],
      target_address: target[family],
      target_port: servicePort,
      source_address: hubInside[family],
      ...rest,
    }),
  );
}

describe.skipIf(!isRoot)('a hub with two relays', () => {
  test('passes nothing on from one to the other, whatever went before', async () => {
    const [hub, one, other] = [await Namespace.open(), await Namespace.open(), await Namespace.open()];
    await hub.must('sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1');
    const far: Pair = ['fd00:99::103', '100.64.0.3'];
    for (const [name, namespace, pair] of [
      ['wg-test-1', one, peerAt],
      ['wg-test-2', other, far],
    ] as const) {
      await connectByCable({ namespace: hub, name }, { namespace, name: 'cable' });
      await addAddresses(namespace, 'lo', pair);
      await addRoutes(namespace, 'cable', ['default', 'default']);
      await addRoutes(hub, name, pair);
    }
    const reaches = async () => {
      const ping = { program: 'ping', args: ['-c', '1', '-W', '1', '-I', peerAt[0], far[0]] };
      return (await one.attempt(ping)).exitCode === 0;
    };
    expect(await reaches()).toBe(true);
    const interfaces = ['wg-test-1', 'wg-test-2'].map((name) => interfaceNamed(name, networkId));
    const table = new NftTable({ ...noListeners, run: hub, clock: systemClock });
    await table.load(rulesetFor([...interfaces, ...hubDocument.slice(1)]), 'whole');
    expect(await reaches()).toBe(false);
    const leaves = interfaces.map((entry) => ({ ...entry, purpose: 'leaf' as const }));
    await table.load(rulesetFor([...leaves, ...hubDocument.slice(1)]), 'change');
    expect(await reaches()).toBe(true);
    for (const namespace of [hub, one, other]) await namespace.end();
  });
});

describe.skipIf(!isRoot)('a hub with port mappings', () => {
  const namespaces: Namespace[] = [];
  const programs: InnerProgram[] = [];
  const answers = new Map<number, string>();
  /** Who is told of the next answer. */
  let answered = Promise.withResolvers<void>();
  let hub: Namespace;
  let table: NftTable;
  let visitor: InnerProgram;
  let visits = 0;

  beforeAll(async () => {
    const [outside, inside, elsewhere] = [await opened(), await opened(), await opened()];
    hub = await opened();
    await hub.must('sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1', 'net.ipv4.ip_forward=1');
    await connectByCable({ namespace: hub, name: 'eth0' }, { namespace: outside, name: 'eth0' });
    await connectByCable({ namespace: hub, name: 'eth1' }, { namespace: elsewhere, name: 'eth0' });
    await connectByCable({ namespace: hub, name: 'wg-test' }, { namespace: inside, name: 'wg-test' });
    for (const pair of [hubOutside, hubInside, virtual]) await addAddresses(hub, 'lo', pair);
    for (const [namespace, device, pair] of [
      [outside, 'eth0', visitorAt],
      [outside, 'eth0', strangerAt],
      [inside, 'wg-test', peerAt],
      [elsewhere, 'eth1', elsewhereAt],
    ] as const) {
      await addAddresses(namespace, 'lo', pair);
      await addRoutes(hub, device, pair);
    }
    await addRoutes(outside, 'eth0', ['default', 'default']);
    await addRoutes(elsewhere, 'eth0', ['default', 'default']);
    // The peer knows the way to the hub, and to nobody outside.
    await addRoutes(inside, 'wg-test', hubInside);
    for (const [namespace, name] of [
      [hub, 'hub'],
      [inside, 'peer'],
      [elsewhere, 'elsewhere'],
    ] as const) {
      programs.push(await InnerProgram.ready(namespace, 'greeter-main.ts', String(servicePort), name));
    }
    visitor = new InnerProgram(outside, ['visitor-main.ts'], (line) => {
      const { id, answer } = JSON.parse(line) as VisitAnswer;
      answers.set(id, answer);
      answered.resolve();
      answered = Promise.withResolvers();
    });
    programs.push(visitor);
    table = new NftTable({ ...noListeners, run: hub, clock: systemClock });
  });

  afterAll(async () => {
    for (const one of [...programs, ...namespaces]) await one.end();
  });

  async function opened(): Promise<Namespace> {
    const namespace = await Namespace.open();
    namespaces.push(namespace);
    return namespace;
  }

  async function apply(...entries: readonly EntryValue[]): Promise<void> {
    await table.load(rulesetFor([...hubDocument, ...entries]), 'whole');
  }

  function go(visit: Omit<Visit, 'id'>): number {
    const id = ++visits;
    visitor.say({ id, ...visit });
    return id;
  }

  async function answerTo(id: number): Promise<string> {
    for (;;) {
      const answer = answers.get(id);
      if (answer !== undefined) return answer;
      await answered.promise;
    }
  }

  /** By a port mapping that is open to everybody: an answer that comes after what was sent before it. */
  async function afterAllOfThat(): Promise<void> {
    for (const family of families) await answerTo(go(toMapping(1, family)));
  }

  function toMapping(number: number, family: 0 | 1, source = visitorAt): Omit<Visit, 'id'> {
    return { protocol: 'tcp', source: source[family], destination: hubOutside[family], port: 8000 + number };
  }

  describe.each([
    { name: 'IPv6', family: 0 },
    { name: 'IPv4', family: 1 },
  ] as const)('by $name', ({ family }) => {
    test.each(['tcp', 'udp'] as const)(
      'lets %s in, and sends it on from its own address',
      async (protocol) => {
        await apply(...mappings(1, { protocol }));
        const id = go({ ...toMapping(1, family), protocol });
        expect(await answerTo(id)).toBe(`peer sees ${hubInside[family]}`);
      },
    );

    test('lets nothing else in, and nothing through', async () => {
      await apply(...mappings(1));
      const source = visitorAt[family];
      const others = [
        { ...toMapping(1, family), port: 8002 },
        { ...toMapping(1, family), protocol: 'udp' as const },
        { protocol: 'tcp' as const, source, destination: peerAt[family], port: servicePort },
        { protocol: 'tcp' as const, source, destination: elsewhereAt[family], port: servicePort },
      ].map(go);
      await afterAllOfThat();
      // What is for the hub itself is not the table's: there is nobody at that port.
      expect(others.map((id) => answers.get(id))).toEqual(['ECONNREFUSED', undefined, undefined, undefined]);
    });

    test('lets in only whom the port mapping is for', async () => {
      await apply(
        ...mappings(1),
        ...mappings(3, { source_cidrs: ['2001:db8::/48', '203.0.113.0/24', '203.0.113.0/28'] }),
      );
      const stranger = go(toMapping(3, family, strangerAt));
      expect(await answerTo(go(toMapping(3, family)))).toBe(`peer sees ${hubInside[family]}`);
      await afterAllOfThat();
      expect(answers.get(stranger)).toBeUndefined();
    });

    test('lets in so many connections at once', async () => {
      await apply(...mappings(1), ...mappings(4, { max_connections: 2 }));
      const [first, second] = [go(toMapping(4, family)), go(toMapping(4, family))];
      await answerTo(first);
      await answerTo(second);
      const third = go(toMapping(4, family));
      await afterAllOfThat();
      expect(answers.get(third)).toBeUndefined();
      visitor.say({ hangUp: first });
      // It asks again by itself.
      expect(await answerTo(third)).toBe(`peer sees ${hubInside[family]}`);
    });

    test('lets in so many new connections per second', async () => {
      await apply(...mappings(1), ...mappings(5, { rate_limit: 1, protocol: 'udp' }));
      const many = Array.from({ length: 20 }, () => go({ ...toMapping(5, family), protocol: 'udp' }));
      await Promise.race(many.map(answerTo));
      await afterAllOfThat();
      const count = many.filter((id) => answers.has(id)).length;
      expect(count).toBeGreaterThan(0);
      expect(count).toBeLessThan(many.length);
    });

    test('answers for a leased address only while it is held, also behind a port mapping', async () => {
      await apply(...mappings(1), ...mappings(6, {}, virtual), leased);
      const set = ['pn_active_leases6', 'pn_active_leases4'][family] ?? '';
      const hold = (how: string) =>
        hub.must(
          'nft',
          how,
          'element',
          'inet',
          'powernode',
          set,
          `{ ${virtual[family]}${how === 'add' ? ' timeout 1h' : ''} }`,
        );
      const before = go(toMapping(6, family));
      await afterAllOfThat();
      expect(answers.get(before)).toBeUndefined();
      await hold('add');
      // It asks again by itself, and now somebody answers. The address is the hub's own, so the visitor's is kept.
      expect(await answerTo(before)).toBe(`hub sees ${visitorAt[family]}`);
      await hold('delete');
      const after = go(toMapping(6, family));
      await afterAllOfThat();
      expect(answers.get(after)).toBeUndefined();
    });
  });
});
