// Connections of a real kernel when the rules change under them. Needs root.
import { entriesOf, others, own } from '@powernode/core/compile/firewall/random-rules.fixture';
import type { RuleEntry } from '@powernode/core/wire/document';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addAddresses, addRoutes, connectByCable, type Pair } from '../fixtures/cables.ts';
import { Namespace } from '../fixtures/namespace.ts';
import { RematchedNode } from '../fixtures/rematched-node.ts';
import { Streams } from '../fixtures/streams.ts';
import { rule } from '../subsystems/nftables/chains/documents.fixture.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const port = 21_001;
const [far = own]: readonly Pair[] = others;
const web = { protocol: 'any', ports: [port, port] } as const;
const farHost = { kind: 'host', addresses: [...far] } satisfies RuleEntry['from'];

describe.skipIf(!isRoot)('connections of a real kernel', () => {
  let node: Namespace;
  let neighbour: Namespace;
  let rematched: RematchedNode;
  let streams: Streams;

  beforeEach(async () => {
    node = await Namespace.open();
    neighbour = await Namespace.open();
    streams = new Streams();
    await connectByCable({ namespace: node, name: 'wg-test' }, { namespace: neighbour, name: 'cable' });
    await addAddresses(node, 'lo', own);
    await addAddresses(neighbour, 'lo', far);
    await addRoutes(node, 'wg-test', far);
    await addRoutes(neighbour, 'cable', own);
    rematched = new RematchedNode(node, {
      ends: { addresses: new Set(own), hasBridges: false, bridged: [] },
    });
  });
  afterEach(async () => {
    await streams.end();
    await node.end();
    await neighbour.end();
  });

  async function apply(rules: readonly RuleEntry[], more: { rematch?: boolean; policy?: 'drop' } = {}) {
    const networkRules = { rules, members: [], defaultPolicy: more.policy ?? 'accept' } as const;
    await rematched.apply(
      entriesOf(networkRules).map((entry) =>
        entry.kind === 'firewall' ? { ...entry, rematch: more.rematch ?? true } : entry,
      ),
    );
  }

  async function startStreams(family: 0 | 1) {
    const ends = { server: node, client: neighbour, port };
    await streams.start({ ...ends, source: far[family], destination: own[family] });
  }

  const ways: readonly [name: string, rules: readonly RuleEntry[], policy?: 'drop'][] = [
    ['a rule that denies them', [rule(2, { action: 'drop', from: farHost, ...web, ports: [...web.ports] })]],
    ['a default that denies them', [], 'drop'],
  ];

  for (const family of [0, 1] as const) {
    test.each(ways)(`over IPv${family === 0 ? 6 : 4} are ended by %s [9.35]`, async (_, rules, policy) => {
      await apply([rule(1, { from: farHost })]);
      await startStreams(family);
      await apply(rules, policy === undefined ? {} : { policy });
      await expect.poll(() => streams.countOf('tcp_closed')).toBe(1);
      await streams.stopped();
      await apply([rule(1, { from: farHost })]);
      await streams.goesOn('udp_received');
    });
  }

  test('are left alone by rules that do not concern them [9.35]', async () => {
    await apply([]);
    await startStreams(0);
    await apply([rule(2, { action: 'drop', from: farHost, protocol: 'tcp', ports: [22, 22] })]);
    await streams.goesOn('tcp_received');
    await streams.goesOn('udp_received');
    expect(streams.countOf('tcp_closed')).toBe(0);
  });

  test('are ended beside one that has ended by itself since it was listed [9.35]', async () => {
    await apply([]);
    await startStreams(0);
    rematched.endsMeanwhile = ['-D', '-f', 'ipv6', '-p', 'udp', '--dport', String(port)];
    await apply([], { policy: 'drop' });
    expect(rematched.endsMeanwhile).toBeNull();
    await expect.poll(() => streams.countOf('tcp_closed')).toBe(1);
  });

  test('go on in a network that does not match them again [9.35]', async () => {
    await apply([], { rematch: false });
    await startStreams(0);
    await apply([], { rematch: false, policy: 'drop' });
    await streams.goesOn('tcp_received');
    await streams.goesOn('udp_received');
  });

  test('keep the bits of their marks that are others’ [9.35]', async () => {
    await apply([]);
    await startStreams(0);
    await node.must('conntrack', '-U', '-f', 'ipv6', '-p', 'udp', '--mark', '0x3');
    await apply([], { policy: 'drop' });
    await apply([]);
    const marks = await node.must('conntrack', '-L', '-f', 'ipv6', '-p', 'udp');
    expect(marks).toContain('mark=3 ');
  });
});
