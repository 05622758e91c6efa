// The rules as a person would read them, and what counts as having been loaded.
import type { EntryValue } from '@powernode/core/wire/document';
import { describe, expect, test } from 'vitest';
import { isLoaded, rulesetIntentOf, rulesetOf } from './ruleset.ts';
import type { SeenRuleset } from './seen.ts';

function interfaceNamed(name: string, network: string): EntryValue {
  const of = { peer_id: 'p', public_key: 'k', listen_port: 0, mtu: 1420, addresses: [] };
  return { kind: 'interface', name, network_id: network, purpose: 'leaf', ...of };
}

const hubOfOneSpokeOfAnother: EntryValue[] = [
  interfaceNamed('wg-aa', 'A'),
  interfaceNamed('wg-bb', 'B'),
  interfaceNamed('wg-bb-1', 'B'),
  { kind: 'forwarding', network_id: 'A', handle: 'aa' },
];

function rulesetFor(entries: readonly EntryValue[], closedOtherwise: boolean) {
  return rulesetOf(rulesetIntentOf(entries, closedOtherwise));
}

describe('the rules', () => {
  test('let a hub forward inside its network and nothing else', () => {
    expect(rulesetFor(hubOfOneSpokeOfAnother, true)?.text).toMatchInlineSnapshot(`
      "table inet powernode
      delete table inet powernode
      table inet powernode {
      	set pn_overlay {
      		type ifname
      		elements = { "wg-aa", "wg-bb", "wg-bb-1" }
      	}
      	set pn_net_aa {
      		type ifname
      		elements = { "wg-aa" }
      	}
      	chain pn_forward {
      		type filter hook forward priority filter; policy accept;
      		ct state established,related accept comment "powernode ff25db011a95a846"
      		iifname @pn_net_aa oifname @pn_net_aa accept comment "powernode ff25db011a95a846"
      		iifname @pn_overlay drop comment "powernode ff25db011a95a846"
      		oifname @pn_overlay drop comment "powernode ff25db011a95a846"
      		meta nfproto ipv6 drop comment "powernode ff25db011a95a846"
      	}
      }
      "
    `);
  });

  test('leave other forwarding alone on a machine that forwarded before', () => {
    const text = rulesetFor(hubOfOneSpokeOfAnother, false)?.text;
    expect(text).not.toContain('nfproto');
    expect(text).toContain('iifname @pn_overlay drop');
  });

  test('close overlays off also where this machine is a spoke only', () => {
    const text = rulesetFor([interfaceNamed('wg-bb', 'B')], true)?.text;
    expect(text).toContain('oifname @pn_overlay drop');
    expect(text).not.toContain('nfproto');
  });

  test('are not needed without overlays', () => {
    expect(rulesetFor([], true)).toBeNull();
  });

  test('have the same hash for the same document in any order', () => {
    const there = rulesetFor(hubOfOneSpokeOfAnother, true);
    const back = rulesetFor([...hubOfOneSpokeOfAnother].reverse(), true);
    expect(back).toEqual(there);
  });
});

describe('what was read back', () => {
  const wanted = rulesetFor(hubOfOneSpokeOfAnother, true);
  if (wanted === null) throw new Error('rules expected');
  const asLoaded: SeenRuleset = {
    hash: wanted.hash,
    ruleCount: wanted.ruleCount,
    chainFits: true,
    sets: wanted.sets,
  };

  test('is accepted when it has the hash and the structure', () => {
    expect(isLoaded(wanted, asLoaded)).toBe(true);
  });

  test.each([
    ['no table', null],
    ['rules of another document', { ...asLoaded, hash: '0123456789abcdef' }],
    ['rules of somebody else among them', { ...asLoaded, hash: null }],
    ['a rule less', { ...asLoaded, ruleCount: wanted.ruleCount - 1 }],
    ['no chain, or another', { ...asLoaded, chainFits: false }],
    [
      'an element more in a set',
      {
        ...asLoaded,
        sets: new Map([...wanted.sets, ['pn_overlay', ['wg-aa', 'wg-bb', 'wg-bb-1', 'wg-zz']]]),
      },
    ],
    ['a set less', { ...asLoaded, sets: new Map([...wanted.sets].slice(1)) }],
  ] as const)('is refused: %s', (_what, seen) => {
    expect(isLoaded(wanted, seen)).toBe(false);
  });
});
