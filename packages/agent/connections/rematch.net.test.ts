// Connections of a real kernel when the rules change under them. Needs root.
import { entriesOf, others, own } from '@powernode/core/compile/firewall/random-rules.fixture';
import type { EntryValue, RuleEntry } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nobodyToTell } from '../apply/kernel-machine.ts';
import { addAddresses, addRoutes, connectByCable, type Pair } from '../fixtures/cables.ts';
import { Namespace } from '../fixtures/namespace.ts';
import { InnerProgram } from '../fixtures/program.ts';
import type { StreamLine } from '../fixtures/stream-main.ts';
import { systemClock } from '../ports/clock.ts';
import { rule } from '../subsystems/nftables/chains/documents.fixture.ts';
import { rulesetFor } from '../subsystems/nftables/chains/rulesets.fixture.ts';
import type { Ruleset } from '../subsystems/nftables/model.ts';
import { NftTable } from '../subsystems/nftables/table.ts';
import { Rematch } from './rematch.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const port = 21_001;
const [far = own]: readonly Pair[] = others;
const web = { protocol: 'any', ports: [port, port] } as const;
const farHost = { kind: 'host', addresses: [...far] } satisfies RuleEntry['from'];

describe.skipIf(!isRoot)('connections of a real kernel', () => {
  let node: Namespace;
  let neighbour: Namespace;
  let table: NftTable;
  let loaded: Ruleset | null;
  let rematch: Rematch;
  /** What conntrack is told between the listing of connections and their marks. */
  let endsMeanwhile: readonly string[] | null;
  const counts = new Map<string, number>();
  const failures: unknown[] = [];
  const programs: InnerProgram[] = [];

  beforeEach(async () => {
    node = await Namespace.open();
    neighbour = await Namespace.open();
    await connectByCable({ namespace: node, name: 'wg-test' }, { namespace: neighbour, name: 'cable' });
    await addAddresses(node, 'lo', own);
    await addAddresses(neighbour, 'lo', far);
    await addRoutes(node, 'wg-test', far);
    await addRoutes(neighbour, 'cable', own);
    table = new NftTable({ ...nobodyToTell, run: node, clock: systemClock });
    loaded = null;
    counts.clear();
    failures.length = 0;
    endsMeanwhile = null;
    rematch = new Rematch({
      run: {
        detach: () => node.detach(),
        follow: () => node.follow(),
        attempt: async (command) => {
          const outcome = await node.attempt(command);
          if (endsMeanwhile === null || command.args[0] !== '-L') return outcome;
          const told = endsMeanwhile;
          endsMeanwhile = null;
          await node.must('conntrack', ...told);
          return outcome;
        },
      },
      clock: systemClock,
      log: pino({ level: 'silent' }),
      problems: { set: (_, found) => failures.push(...found) },
    });
  });
  afterEach(async () => {
    for (const program of programs.splice(0)) await program.end();
    await node.end();
    await neighbour.end();
  });

  async function apply(rules: readonly RuleEntry[], more: { rematch?: boolean; policy?: 'drop' } = {}) {
    const networkRules = { rules, members: [], defaultPolicy: more.policy ?? 'accept' } as const;
    const entries: EntryValue[] = entriesOf(networkRules).map((entry) =>
      entry.kind === 'firewall' ? { ...entry, rematch: more.rematch ?? true } : entry,
    );
    const wanted = rulesetFor(entries, { previous: loaded });
    await table.load(wanted, loaded === null ? 'whole' : 'change');
    loaded = wanted;
    rematch.applied(nodeDocumentOf(entries));
    await rematch.stop();
    expect(failures).toEqual([]);
  }

  const countOf = (what: StreamLine['what']) => counts.get(what) ?? 0;

  async function startStreams(family: 0 | 1) {
    const count = (line: string) => {
      if (line === 'ready') return;
      const { what } = JSON.parse(line) as StreamLine;
      counts.set(what, countOf(what) + 1);
    };
    const listening = Promise.withResolvers<void>();
    programs.push(
      new InnerProgram(node, ['stream-main.ts', 'server', String(port)], (line) => {
        if (line === 'ready') listening.resolve();
        count(line);
      }),
    );
    await listening.promise;
    const ends = [String(port), far[family], own[family]];
    programs.push(new InnerProgram(neighbour, ['stream-main.ts', 'client', ...ends], count));
    await goesOn('tcp_received');
    await goesOn('udp_received');
  }

  async function goesOn(what: StreamLine['what']): Promise<void> {
    const before = countOf(what);
    await expect.poll(() => countOf(what), { interval: 5 }).toBeGreaterThan(before + 10);
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
      await expect.poll(() => countOf('tcp_closed')).toBe(1);
      // The server goes on sending by itself, and nothing of it arrives.
      const received = countOf('udp_received');
      await goesOn('udp_sent');
      await goesOn('udp_sent');
      expect(countOf('udp_received')).toBe(received);
      await apply([rule(1, { from: farHost })]);
      await goesOn('udp_received');
    });
  }

  test('are left alone by rules that do not concern them [9.35]', async () => {
    await apply([]);
    await startStreams(0);
    await apply([rule(2, { action: 'drop', from: farHost, protocol: 'tcp', ports: [22, 22] })]);
    await goesOn('tcp_received');
    await goesOn('udp_received');
    expect(countOf('tcp_closed')).toBe(0);
  });

  test('are ended beside one that has ended by itself since it was listed [9.35]', async () => {
    await apply([]);
    await startStreams(0);
    endsMeanwhile = ['-D', '-f', 'ipv6', '-p', 'udp', '--dport', String(port)];
    await apply([], { policy: 'drop' });
    expect(endsMeanwhile).toBeNull();
    await expect.poll(() => countOf('tcp_closed')).toBe(1);
  });

  test('go on in a network that does not match them again [9.35]', async () => {
    await apply([], { rematch: false });
    await startStreams(0);
    await apply([], { rematch: false, policy: 'drop' });
    await goesOn('tcp_received');
    await goesOn('udp_received');
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
