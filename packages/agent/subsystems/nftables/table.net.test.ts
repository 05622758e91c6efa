// The table in a real kernel: loaded, changed step by step, meddled with, read back. Needs root.
import {
  entriesOf,
  networkId,
  own,
  randomNetworkRules,
} from '@powernode/core/compile/firewall/random-rules.fixture';
import { tag } from '@powernode/core/intent/common';
import { agentRulesetLookMs, agentRulesetSmallMax } from '@powernode/core/limits/agent';
import { tagLengthMax } from '@powernode/core/limits/texts';
import type { EntryValue } from '@powernode/core/wire/document';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noListeners } from '../../apply/kernel-machine.ts';
import { Namespace } from '../../fixtures/namespace.ts';
import { FakeClock } from '../../ports/clock.fixture.ts';
import { hubAndSpoke, member, rule, rules, services } from './chains/documents.fixture.ts';
import { rulesetFor } from './chains/rulesets.fixture.ts';
import { isLoaded } from './observed.fixture.ts';
import { isUntouched } from './observed.ts';
import { NftTable } from './table.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

const everything = [...hubAndSpoke, ...services, ...rules];

describe.skipIf(!isRoot)('the table', () => {
  let namespace: Namespace;
  let clock: FakeClock;
  let table: NftTable;

  beforeEach(async () => {
    namespace = await Namespace.open();
    clock = new FakeClock();
    table = new NftTable({ ...noListeners, run: namespace, clock });
  });

  afterEach(() => namespace.end());

  const texts = () => namespace.told.splice(0);
  const isWhole = (text: string) => text.startsWith('table inet powernode\n');
  const nft = (...args: readonly string[]) => namespace.must('nft', ...args);

  test('is read back as it was loaded, by this process and by the next', async () => {
    expect(await table.look()).toBeNull();
    const ruleset = rulesetFor(everything);
    await table.load(ruleset, 'whole');
    expect(isLoaded(ruleset, await table.look())).toBe(true);
    texts();
    const next = new NftTable({ ...noListeners, run: namespace, clock });
    await next.load(rulesetFor(everything), 'whole');
    expect(isLoaded(ruleset, await next.look())).toBe(true);
    expect(texts()).toEqual([]);
    await next.remove();
    expect(await next.look()).toBeNull();
  });

  test('is read back with LANs, also one of a single address', async () => {
    const lans = ['fd00:7::/64', 'fd00:8::1/128', '10.7.0.0/24', '10.8.0.1/32'].map(
      (prefix, i): EntryValue => ({
        ...{ kind: 'lan', key: `lan/${i}`, network_id: networkId, subnet_id: String(i), handle: 'test' },
        ...{ prefix, local_prefix: prefix, source_nat: i % 2 === 0 },
      }),
    );
    const ruleset = rulesetFor([...everything, ...lans]);
    await table.load(ruleset, 'whole');
    expect(isLoaded(ruleset, await table.look())).toBe(true);
    const next = new NftTable({ ...noListeners, run: namespace, clock });
    await next.load(ruleset, 'whole');
    expect(isLoaded(ruleset, await next.look())).toBe(true);
  });

  test('follows any change by what differs, and is then as if it had been loaded so', {
    timeout: 120_000,
  }, async () => {
    const seed = 20_261_122;
    let before = rulesetFor(entriesOf({ rules: [], members: [], defaultPolicy: 'accept' }));
    await table.load(before, 'whole');
    for (const [i, networkRules] of fc.sample(randomNetworkRules(25), { numRuns: 40, seed }).entries()) {
      const entries =
        i % 3 === 0 ? [...entriesOf(networkRules), ...services, { ...forwarding }] : entriesOf(networkRules);
      const after = rulesetFor(entries, { previous: before });
      texts();
      await table.load(after, 'change');
      expect(texts().filter(isWhole)).toEqual([]);
      const seen = await table.look();
      expect(isLoaded(after, seen)).toBe(true);
      expect(seen !== null && isUntouched(rulesetFor(entries), seen)).toBe(true);
      before = after;
    }
  });

  test('takes tags of any length that have to be escaped, each for itself', async () => {
    const character = fc.constantFrom('_', ':', '_', ':', 'a', '.');
    const end = fc.array(character, { minLength: 2, maxLength: 2 });
    // Alike but for their ends, so that names which are cut there would be the same.
    const body = fc.array(character, { minLength: tagLengthMax - 3, maxLength: tagLengthMax - 3 });
    const tags = fc
      .tuple(body, fc.uniqueArray(end, { minLength: 4, maxLength: 4, selector: String }))
      .map(([same, ends]) => ends.map((last) => ['t', ...same, ...last].join('')));
    for (const [i, names] of fc.sample(tags, { numRuns: 12, seed: 20_261_122 }).entries()) {
      expect(names.every((name) => tag.safeParse(name).success)).toBe(true);
      const sides = names.map((group) => ({ kind: 'group', group }) as const);
      const between = sides.map((from, at) =>
        rule(at, {
          from,
          to: sides[(at + 1 + (i % 3)) % sides.length] ?? from,
          direction: 'both',
          action: 'reject',
          protocol: 'udp',
          ports: [20, 30],
        }),
      );
      const members = names.map((group) => member(group, own[0]));
      const ruleset = rulesetFor([...hubAndSpoke, ...between, ...members]);
      await table.load(ruleset, 'whole');
      expect(isLoaded(ruleset, await table.look())).toBe(true);
      // One of each group, and one of each rule in each direction.
      expect([...ruleset.sets.keys()].filter((name) => name.includes('tag.'))).toHaveLength(12);
    }
  });

  test('loaded anew keeps what others hold in it', async () => {
    await table.load(rulesetFor(everything), 'whole');
    await nft('add', 'element', 'inet', 'powernode', 'pn_active_leases6', '{ fd00:99::111 timeout 1h }');
    await table.load(rulesetFor(hubAndSpoke), 'whole');
    await table.load(rulesetFor(everything), 'whole');
    expect(texts().filter(isWhole)).toHaveLength(3);
    expect(await nft('list', 'set', 'inet', 'powernode', 'pn_active_leases6')).toContain('fd00:99::111');
  });

  const meddlings: readonly (readonly [string, readonly string[]])[] = [
    ['everything flushed', ['flush', 'ruleset']],
    ['a rule added', ['insert', 'rule', 'inet', 'powernode', 'pn_forward', 'accept']],
    ['a chain emptied', ['flush', 'chain', 'inet', 'powernode', 'pn_in_test']],
    ['a chain added', ['add', 'chain', 'inet', 'powernode', 'mine']],
    ['a set added', ['add', 'set', 'inet', 'powernode', 'mine', '{ type ipv4_addr; }']],
    ['an element taken out', ['delete', 'element', 'inet', 'powernode', 'pn_overlay', '{ "wg-bb" }']],
    ['the elements of a set taken out', ['flush', 'set', 'inet', 'powernode', 'pn_virtual6']],
    ['something of another kind', ['add', 'quota', 'inet', 'powernode', 'mine', '{ over 9 mbytes }']],
  ];

  test.each(meddlings)('is repaired: %s', async (_what, meddling) => {
    const ruleset = rulesetFor(everything);
    await table.load(ruleset, 'whole');
    await nft(...meddling);
    const seen = await table.look();
    expect(isLoaded(ruleset, seen)).toBe(false);
    await table.load(ruleset, 'whole');
    expect(isLoaded(ruleset, await table.look())).toBe(true);
  });

  test('whose change stands against what somebody did is loaded as a whole', async () => {
    const before = rulesetFor(hubAndSpoke);
    await table.load(before, 'whole');
    await nft('flush', 'ruleset');
    const after = rulesetFor(everything, { previous: before });
    await table.load(after, 'change');
    expect(isLoaded(after, await table.look())).toBe(true);
  });

  test('when it is large, is looked into now and then only', async () => {
    const many = Array.from({ length: agentRulesetSmallMax }, (_, i) =>
      rule(100 + i, { from: { kind: 'host', addresses: [`fd00:99::${(0x1000 + i).toString(16)}`] } }),
    );
    const ruleset = rulesetFor([...everything, ...many]);
    await table.load(ruleset, 'whole');
    const isAsLoaded = async () => isLoaded(ruleset, await table.look());
    expect(await isAsLoaded()).toBe(true);
    await clock.advance(agentRulesetLookMs);
    expect(await isAsLoaded()).toBe(true);
    const set = 'pn_in_test_accept_host_any_any6';
    await nft('delete', 'element', 'inet', 'powernode', set, '{ fd00:99::1000 }');
    expect(await isAsLoaded()).toBe(true);
    await clock.advance(agentRulesetLookMs);
    expect(await isAsLoaded()).toBe(false);
    await table.load(ruleset, 'whole');
    expect(await isAsLoaded()).toBe(true);
    await nft('delete', 'chain', 'inet', 'powernode', 'pn_output');
    expect(await isAsLoaded()).toBe(false);
    await nft('flush', 'ruleset');
    expect(await table.look()).toBeNull();
  });
});

const forwarding: EntryValue = { kind: 'forwarding', network_id: networkId, handle: 'test' };
