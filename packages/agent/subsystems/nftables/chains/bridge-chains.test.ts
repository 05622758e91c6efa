// The chains for bridges whose hosts may use the overlays, accepted by the real nft where there is one.
import { refusalOf } from '@powernode/core/compile/firewall/nft.fixture';
import { expect, test } from 'vitest';
import type { Ruleset } from '../model.ts';
import { wholeText } from '../text.ts';
import { hubAndSpoke, rules } from './documents.fixture.ts';
import { rulesetFor } from './rulesets.fixture.ts';

function chainOf(ruleset: Ruleset, name: string): readonly string[] | undefined {
  expect(refusalOf(wholeText(ruleset, { chains: [], sets: [] }))).toBeNull();
  return ruleset.chains.get(name)?.rules;
}

test('a bridge that the owner of the machine named is let in and out under the rules [9.27]', () => {
  const ruleset = rulesetFor([...hubAndSpoke, ...rules], { bridges: ['docker0'] });
  expect(chainOf(ruleset, 'pn_forward')).toEqual([
    'tcp flags & syn == syn iifname @pn_overlay tcp option maxseg size set rt mtu',
    'tcp flags & syn == syn oifname @pn_overlay tcp option maxseg size set rt mtu',
    'iifname @pn_relay_test oifname @pn_relay_test drop',
    'iifname @pn_overlay oifname != @pn_overlay ct mark & 0x08000000 == 0x08000000 goto pn_ended',
    'oifname @pn_overlay iifname != @pn_overlay ct mark & 0x08000000 == 0x08000000 goto pn_ended',
    'ct state established,related accept',
    'iifname @pn_net_test oifname @pn_net_test accept',
    'iifname @pn_overlay oifname @pn_bridges ct status dnat ct original ip6 daddr @pn_own_6 accept',
    'iifname @pn_overlay oifname @pn_bridges ct status dnat ct original ip daddr @pn_own_4 accept',
    'iifname @pn_bridges oifname @pn_overlay accept',
    'iifname @pn_overlay drop',
    'oifname @pn_overlay drop',
    'meta nfproto ipv6 drop',
    'meta nfproto ipv4 drop',
  ]);
  expect(chainOf(ruleset, 'pn_bridge_arriving')).toEqual([
    'ip6 daddr @pn_own_6 iifname vmap @pn_ingress',
    'ip daddr @pn_own_4 iifname vmap @pn_ingress',
  ]);
  expect(chainOf(ruleset, 'pn_bridge_leaving')).toEqual([
    'iifname @pn_bridges oifname @pn_overlay ip6 saddr != @pn_own_6 drop',
    'iifname @pn_bridges oifname @pn_overlay ip saddr != @pn_own_4 drop',
    'iifname @pn_bridges oifname vmap @pn_egress',
  ]);
  expect(chainOf(ruleset, 'pn_reject')).toEqual(['drop']);
});
