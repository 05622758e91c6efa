// What a change of the document changes of a table, and what counts as having been loaded.
import { networkId } from '@powernode/core/compile/firewall/random-rules.fixture';
import type { EntryValue } from '@powernode/core/wire/document';
import { describe, expect, test } from 'vitest';
import { hubAndSpoke, rule, rules, services } from './chains/documents.fixture.ts';
import { rulesetFor } from './chains/rulesets.fixture.ts';
import { asLoaded, isLoaded } from './observed.fixture.ts';
import { isUntouched, type ObservedRuleset } from './observed.ts';
import { changeText } from './text.ts';

describe('a change', () => {
  const before = rulesetFor([...hubAndSpoke, ...rules]);

  test('of nothing is no text', () => {
    expect(changeText(before, rulesetFor([...hubAndSpoke, ...rules], { previous: before }))).toBe('');
    expect(changeText(before, rulesetFor([...hubAndSpoke, ...rules]))).toBe('');
  });

  test('of one rule is a few elements', () => {
    const from = { kind: 'host', addresses: ['fd00:99::110', '100.64.0.16'] } as const;
    const added = rule(9, {
      from: { ...from, addresses: [...from.addresses] },
      protocol: 'tcp',
      ports: [22, 22],
    });
    const after = rulesetFor([...hubAndSpoke, ...rules, added], { previous: before });
    expect(changeText(before, after)).toMatchInlineSnapshot(`
      "add element inet powernode pn_in_test_accept_host_any_port6 { fd00:99::110 . 6 . 22 comment "rule-9" }
      add element inet powernode pn_in_test_accept_host_any_port4 { 100.64.0.16 . 6 . 22 comment "rule-9" }
      "
    `);
    expect(changeText(after, before)).toMatchInlineSnapshot(`
      "delete element inet powernode pn_in_test_accept_host_any_port6 { fd00:99::110 . 6 . 22 }
      delete element inet powernode pn_in_test_accept_host_any_port4 { 100.64.0.16 . 6 . 22 }
      "
    `);
  });

  test('of who is in a group is an element for each address', () => {
    const joined: EntryValue = {
      kind: 'member',
      network_id: networkId,
      group: 'web',
      addresses: ['fd00:99::110', '100.64.0.16'],
    };
    const after = rulesetFor([...hubAndSpoke, ...rules, joined], { previous: before });
    expect(changeText(before, after)).toMatchInlineSnapshot(`
      "add element inet powernode pn_group_test_tag.web_6 { fd00:99::110 }
      add element inet powernode pn_group_test_tag.web_4 { 100.64.0.16 }
      "
    `);
  });
});

describe('what was read back', () => {
  const wanted = rulesetFor([...hubAndSpoke, ...services, ...rules]);
  const seen = asLoaded(wanted);
  const chain = (name: string, change: object) => {
    const found = seen.chains.get(name);
    if (found === undefined) throw new Error(`no chain ${name}`);
    return { ...seen, chains: new Map(seen.chains).set(name, { ...found, ...change }) };
  };
  const set = (name: string, change: object) => {
    const found = seen.sets.get(name);
    if (found === undefined) throw new Error(`no set ${name}`);
    return { ...seen, sets: new Map(seen.sets).set(name, { ...found, ...change }) };
  };
  const count = seen.chains.get('pn_forward')?.rules?.count ?? 0;
  const without = <V>(map: ReadonlyMap<string, V>, name: string) =>
    new Map([...map].filter(([one]) => one !== name));

  test('is accepted when it is what was loaded', () => {
    expect(isLoaded(wanted, seen)).toBe(true);
    const names: ObservedRuleset = {
      ...seen,
      chains: new Map([...seen.chains].map(([name, { base }]) => [name, { base, rules: null }])),
      sets: new Map([...seen.sets].map(([name, one]) => [name, { ...one, elements: null }])),
    };
    expect(isLoaded(wanted, names)).toBe(true);
  });

  test.each<readonly [string, ObservedRuleset | null]>([
    ['no table', null],
    ['nothing loaded by this process', { ...seen, loaded: null }],
    ['rules of another document', { ...seen, loaded: rulesetFor(hubAndSpoke) }],
    ['rules of somebody else', chain('pn_forward', { rules: { count, mark: null } })],
    ['another chain’s rules', chain('pn_forward', { rules: { count, mark: '0123456789abcdef' } })],
    [
      'a rule less',
      chain('pn_forward', { rules: { count: count - 1, mark: wanted.chains.get('pn_forward')?.mark } }),
    ],
    ['a chain at another hook', chain('pn_forward', { base: 'filter hook input priority 0' })],
    ['a chain less', { ...seen, chains: without(seen.chains, 'pn_forward') }],
    ['a chain more', { ...seen, chains: new Map(seen.chains).set('mine', { base: null, rules: null }) }],
    ['a set less', { ...seen, sets: without(seen.sets, 'pn_active_leases6') }],
    ['an element more', set('pn_overlay', { elements: new Map([['wg-zz', '']]) })],
    [
      'an element that leads elsewhere',
      set('pn_ingress', { elements: new Map([['wg-test', 'goto pn_in_bb']]) }),
    ],
    ['a set of another type', set('pn_overlay', { type: 'ipv6_addr' })],
    ['things of other kinds', { ...seen, others: ['flowtable'] }],
  ])('is refused: %s', (_what, found) => {
    expect(isLoaded(wanted, found)).toBe(false);
    if (found?.loaded === wanted) expect(isUntouched(wanted, found)).toBe(false);
  });
});
