// The table of a network without rules: it keeps overlays apart from everything else.
import { NodeDocument } from '@powernode/core/wire/node-document';
import { describe, expect, test } from 'vitest';
import { hubAndSpoke, interfaceNamed } from './chains/documents.fixture.ts';
import { readable, rulesetFor } from './chains/rulesets.fixture.ts';
import { rulesetOf } from './ruleset.ts';

describe('without rules of a firewall', () => {
  const bare = hubAndSpoke.filter((entry) => entry.kind !== 'firewall');

  test('a hub forwards inside its network and nothing else', () => {
    expect(readable(rulesetFor(bare))).toMatchInlineSnapshot(`
      "table inet powernode
      table inet powernode {
      	counter pn_evaluated {
      	}
      	set pn_overlay {
      		type ifname
      		elements = { "wg-bb", "wg-bb-1", "wg-test", "wg-test-2" }
      	}
      	set pn_net_test {
      		type ifname
      		elements = { "wg-test", "wg-test-2" }
      	}
      	set pn_relay_test {
      		type ifname
      		elements = { "wg-test-2" }
      	}
      	set pn_active_leases6 {
      		type ipv6_addr
      		flags timeout
      	}
      	set pn_virtual6 {
      		type ipv6_addr
      	}
      	set pn_active_leases4 {
      		type ipv4_addr
      		flags timeout
      	}
      	set pn_virtual4 {
      		type ipv4_addr
      	}
      	set pn_own_6 {
      		type ipv6_addr
      		elements = { fd00:99::101, fd00:99::fe01:0:0:101, fd00:99::fe02:0:0:101, fd00:bb::1 }
      	}
      	set pn_own_4 {
      		type ipv4_addr
      		elements = { 100.64.0.1 }
      	}
      	chain pn_forward {
      		type filter hook forward priority 0; policy accept;
      		tcp flags & syn == syn iifname @pn_overlay tcp option maxseg size set rt mtu
      		tcp flags & syn == syn oifname @pn_overlay tcp option maxseg size set rt mtu
      		iifname @pn_relay_test oifname @pn_relay_test drop
      		ct state established,related accept
      		iifname @pn_net_test oifname @pn_net_test accept
      		iifname @pn_overlay drop
      		oifname @pn_overlay drop
      		meta nfproto ipv6 drop
      		meta nfproto ipv4 drop
      	}
      	chain pn_outside {
      		type filter hook input priority -5; policy accept;
      		iifname "lo" accept
      		iifname @pn_overlay accept
      		ct state established,related accept
      		ip6 daddr @pn_own_6 drop
      		ip daddr @pn_own_4 drop
      	}
      }
      "
    `);
  });

  test('other forwarding is left alone on a machine that forwarded before', () => {
    const text = readable(rulesetFor(bare, { closedOtherwise: { ipv6: false, ipv4: true } }));
    expect(text).not.toContain('nfproto ipv6 drop');
    expect(text).toContain('nfproto ipv4 drop');
    expect(text).toContain('iifname @pn_overlay drop');
  });

  test('a hub without an IPv4 prefix leaves IPv4 alone', () => {
    const six = [
      interfaceNamed('wg-aa', 'A', { addresses: ['fd00:aa::1/128'] }),
      { kind: 'forwarding', network_id: 'A', handle: 'aa' } as const,
    ];
    expect(readable(rulesetFor(six))).not.toContain('nfproto ipv4');
  });

  test('overlays are closed off also where this machine is a spoke only', () => {
    const text = readable(rulesetFor([interfaceNamed('wg-bb', 'B')]));
    expect(text).toContain('oifname @pn_overlay drop');
    expect(text).not.toContain('nfproto');
  });

  test('no table is needed without overlays', () => {
    expect(
      rulesetOf(NodeDocument.empty, {
        closedOtherwise: { ipv6: true, ipv4: true },
        guarded: [],
        bridges: [],
        previous: null,
      }),
    ).toBeNull();
  });
});
