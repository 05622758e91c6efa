// The table of rules as a person would read it, accepted by the real nft where there is one.
import { entriesOf, randomNetworkRules } from '@powernode/core/compile/firewall/random-rules.fixture';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hubAndSpoke, mappingEntry, rule, rules, services } from './chains/documents.fixture.ts';
import { chainOf, readable, rulesetFor } from './chains/rulesets.fixture.ts';
import { asLoaded, isLoaded } from './observed.fixture.ts';
import { freshText } from './text.ts';

describe('with rules', () => {
  const ruleset = rulesetFor([...hubAndSpoke, ...rules]);

  test('each network is evaluated by itself', () => {
    expect(readable(ruleset)).toMatchInlineSnapshot(`
      "table inet powernode
      table inet powernode {
      	counter pn_evaluated {
      	}
      	set pn_overlay {
      		type ifname
      		elements = { "wg-bb", "wg-bb-1", "wg-test", "wg-test-2" }
      	}
      	set pn_net_bb {
      		type ifname
      		elements = { "wg-bb", "wg-bb-1" }
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
      	set pn_group_test_tag.web_6 {
      		type ipv6_addr
      		elements = { fd00:99::108, fd00:99::109 }
      	}
      	set pn_group_test_tag.web_4 {
      		type ipv4_addr
      		elements = { 100.64.0.8, 100.64.0.9 }
      	}
      	set pn_group_test_tag.site/3a.a_6 {
      		type ipv6_addr
      		elements = { fd00:99::101 }
      	}
      	set pn_group_test_tag.site/3a.a_4 {
      		type ipv4_addr
      		elements = { 100.64.0.1 }
      	}
      	set pn_group_test_tag.db_6 {
      		type ipv6_addr
      		elements = { fd00:99::109 }
      	}
      	set pn_group_test_tag.db_4 {
      		type ipv4_addr
      		elements = { 100.64.0.9 }
      	}
      	set pn_in_test_accept_host_any_port6 {
      		type ipv6_addr . inet_proto . inet_service
      		counter
      		elements = { fd00:99::108 . 6 . 22 comment "rule-1" }
      	}
      	set pn_in_test_accept_host_any_port4 {
      		type ipv4_addr . inet_proto . inet_service
      		counter
      		elements = { 100.64.0.8 . 6 . 22 comment "rule-1" }
      	}
      	set pn_in_test_reject_tag.web_any_range_11 {
      		type inet_proto . inet_service
      		flags interval
      		counter
      		elements = { 6 . 8080-8090 comment "rule-2" }
      	}
      	set pn_in_test_accept_tag.web_tag.site/3a.a_protocol {
      		type inet_proto
      		counter
      		elements = { 58 comment "rule-3", 1 comment "rule-3" }
      	}
      	set pn_in_test_drop_net120_any_protocol6 {
      		type ipv6_addr . inet_proto
      		counter
      		elements = { fd00:99::100 . 17 comment "rule-4" }
      	}
      	set pn_in_test_accept_net18_any_any4 {
      		type ipv4_addr
      		counter
      		elements = { 100.64.0.0 comment "rule-5" }
      	}
      	set pn_in_test_drop_any_host_any6 {
      		type ipv6_addr
      		counter
      		elements = { fd00:99::111 comment "rule-6" }
      	}
      	set pn_in_test_drop_any_host_any4 {
      		type ipv4_addr
      		counter
      		elements = { 100.64.0.17 comment "rule-6" }
      	}
      	set pn_out_test_drop_any_host_any6 {
      		type ipv6_addr
      		counter
      		elements = { fd00:99::111 comment "rule-6" }
      	}
      	set pn_out_test_drop_any_host_any4 {
      		type ipv4_addr
      		counter
      		elements = { 100.64.0.17 comment "rule-6" }
      	}
      	set pn_out_test_reject_any_tag.db_any {
      		type nf_proto
      		counter
      		elements = { 2 comment "rule-7", 10 comment "rule-7" }
      	}
      	set pn_out_test_drop_any_any_any {
      		type nf_proto
      		counter
      		elements = { 2 comment "rule-8", 10 comment "rule-8" }
      	}
      	map pn_ingress {
      		type ifname : verdict
      		elements = { "wg-test" : goto pn_in_test, "wg-test-2" : goto pn_in_test, "wg-bb" : goto pn_in_bb, "wg-bb-1" : goto pn_in_bb }
      	}
      	map pn_egress {
      		type ifname : verdict
      		elements = { "wg-test" : goto pn_out_test, "wg-test-2" : goto pn_out_test, "wg-bb" : goto pn_out_bb, "wg-bb-1" : goto pn_out_bb }
      	}
      	chain pn_forward {
      		type filter hook forward priority 0; policy accept;
      		tcp flags & syn == syn iifname @pn_overlay tcp option maxseg size set rt mtu
      		tcp flags & syn == syn oifname @pn_overlay tcp option maxseg size set rt mtu
      		iifname @pn_relay_test oifname @pn_relay_test drop
      		iifname @pn_overlay oifname != @pn_overlay ct mark & 0x08000000 == 0x08000000 goto pn_ended
      		oifname @pn_overlay iifname != @pn_overlay ct mark & 0x08000000 == 0x08000000 goto pn_ended
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
      		ip6 daddr @pn_own_6 ct mark & 0x08000000 == 0x08000000 goto pn_ended
      		ip daddr @pn_own_4 ct mark & 0x08000000 == 0x08000000 goto pn_ended
      		ct state established,related accept
      		ip6 daddr @pn_own_6 drop
      		ip daddr @pn_own_4 drop
      	}
      	chain pn_reject {
      		meta l4proto tcp reject with tcp reset
      		reject with icmpx admin-prohibited
      	}
      	chain pn_ended {
      		tcp flags & rst == rst accept
      		goto pn_reject
      	}
      	chain pn_in_test_group_65536_accept_tag.web {
      		ip6 daddr @pn_group_test_tag.site/3a.a_6 meta l4proto @pn_in_test_accept_tag.web_tag.site/3a.a_protocol accept
      		ip daddr @pn_group_test_tag.site/3a.a_4 meta l4proto @pn_in_test_accept_tag.web_tag.site/3a.a_protocol accept
      	}
      	chain pn_in_test {
      		ct mark & 0x08000000 == 0x08000000 goto pn_ended
      		ct state established accept
      		icmpv6 type nd-redirect drop
      		icmp type redirect drop
      		ct state related accept
      		icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, nd-neighbor-solicit, nd-neighbor-advert } accept
      		icmp type { destination-unreachable, time-exceeded, parameter-problem } accept
      		ip6 daddr { fd00:99::fe01:0:0:101, fd00:99::fe02:0:0:101 } udp dport 21212 accept
      		ip6 daddr { fd00:99::fe01:0:0:101, fd00:99::fe02:0:0:101 } drop
      		ip6 daddr { fd00:bb::/64 } drop
      		counter name "pn_evaluated"
      		ip saddr . meta l4proto . th dport @pn_in_test_accept_host_any_port4 accept
      		ip6 saddr . meta l4proto . th dport @pn_in_test_accept_host_any_port6 accept
      		ip6 saddr @pn_group_test_tag.web_6 meta l4proto . th dport @pn_in_test_reject_tag.web_any_range_11 goto pn_reject
      		ip saddr @pn_group_test_tag.web_4 meta l4proto . th dport @pn_in_test_reject_tag.web_any_range_11 goto pn_reject
      		ip6 saddr @pn_group_test_tag.web_6 jump pn_in_test_group_65536_accept_tag.web
      		ip saddr @pn_group_test_tag.web_4 jump pn_in_test_group_65536_accept_tag.web
      		ip6 saddr & ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00 . meta l4proto @pn_in_test_drop_net120_any_protocol6 drop
      		ip saddr & 255.255.192.0 @pn_in_test_accept_net18_any_any4 accept
      		ip daddr @pn_in_test_drop_any_host_any4 drop
      		ip6 daddr @pn_in_test_drop_any_host_any6 drop
      		drop
      	}
      	chain pn_out_test {
      		ct mark & 0x08000000 == 0x08000000 goto pn_ended
      		ct state established accept
      		icmpv6 type nd-redirect drop
      		icmp type redirect drop
      		ct state related accept
      		icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, nd-neighbor-solicit, nd-neighbor-advert } accept
      		icmp type { destination-unreachable, time-exceeded, parameter-problem } accept
      		ip6 daddr fd00:99:0:0:fe00::/72 udp dport 21212 accept
      		counter name "pn_evaluated"
      		meta nfproto @pn_out_test_drop_any_any_any drop
      		ip daddr @pn_out_test_drop_any_host_any4 drop
      		ip6 daddr @pn_out_test_drop_any_host_any6 drop
      		ip6 daddr @pn_group_test_tag.db_6 meta nfproto @pn_out_test_reject_any_tag.db_any goto pn_reject
      		ip daddr @pn_group_test_tag.db_4 meta nfproto @pn_out_test_reject_any_tag.db_any goto pn_reject
      		accept
      	}
      	chain pn_in_bb {
      		ct mark & 0x08000000 == 0x08000000 goto pn_ended
      		ct state established accept
      		icmpv6 type nd-redirect drop
      		icmp type redirect drop
      		ct state related accept
      		icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, nd-neighbor-solicit, nd-neighbor-advert } accept
      		icmp type { destination-unreachable, time-exceeded, parameter-problem } accept
      		ip6 daddr { fd00:99::/64 } drop
      		ip daddr { 100.64.0.0/18 } drop
      		counter name "pn_evaluated"
      		accept
      	}
      	chain pn_out_bb {
      		ct mark & 0x08000000 == 0x08000000 goto pn_ended
      		ct state established accept
      		icmpv6 type nd-redirect drop
      		icmp type redirect drop
      		ct state related accept
      		icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, nd-neighbor-solicit, nd-neighbor-advert } accept
      		icmp type { destination-unreachable, time-exceeded, parameter-problem } accept
      		ip6 daddr fd00:bb:0:0:fe00::/72 udp dport 21212 accept
      		counter name "pn_evaluated"
      		accept
      	}
      	chain pn_input {
      		type filter hook input priority 0; policy accept;
      		iifname vmap @pn_ingress
      	}
      	chain pn_output {
      		type filter hook output priority 0; policy accept;
      		oifname vmap @pn_egress
      	}
      }
      "
    `);
  });

  test('addresses that are leased are guarded, and those that are not yet gone', () => {
    const table = rulesetFor([...hubAndSpoke, ...services], { guarded: ['fd00:99::117'] });
    expect(chainOf(table, 'pn_lease_arriving')).toMatchInlineSnapshot(`
      [
        "ip6 daddr @pn_virtual6 ip6 daddr != @pn_active_leases6 drop",
        "ip daddr @pn_virtual4 ip daddr != @pn_active_leases4 drop",
      ]
    `);
    expect([...(table.sets.get('pn_virtual6')?.elements?.keys() ?? [])]).toEqual([
      'fd00:99::111',
      'fd00:99::117',
    ]);
    expect(table.sets.get('pn_active_leases6')?.elements).toBeNull();
    expect(ruleset.chains.has('pn_lease_arriving')).toBe(false);
  });

  test('devices are evaluated on their hub', () => {
    const table = rulesetFor([...hubAndSpoke, ...services]);
    expect(chainOf(table, 'pn_devices_sending')).toMatchInlineSnapshot(`
      [
        "iifname @pn_net_test ip6 saddr @pn_devices_test_6 goto pn_out_test",
        "iifname @pn_net_test ip saddr @pn_devices_test_4 goto pn_out_test",
      ]
    `);
    expect(chainOf(table, 'pn_devices_sent')).toMatchInlineSnapshot(`
      [
        "oifname @pn_net_test ip6 daddr @pn_devices_test_6 goto pn_in_test",
        "oifname @pn_net_test ip daddr @pn_devices_test_4 goto pn_in_test",
      ]
    `);
    expect(chainOf(table, 'pn_devices_input')).toEqual(chainOf(table, 'pn_devices_sending'));
    expect(chainOf(table, 'pn_devices_output')).toEqual(chainOf(table, 'pn_devices_sent'));
  });

  test('port mappings lead to their targets, within their limits', () => {
    const table = rulesetFor([...hubAndSpoke, ...services]);
    expect(chainOf(table, 'pn_port_mappings')).toMatchInlineSnapshot(`
      [
        "iifname != @pn_overlay meta l4proto { tcp, udp } dnat ip6 to ip6 daddr . meta l4proto . th dport map @pn_port_mappings_6",
        "iifname != @pn_overlay meta l4proto { tcp, udp } ip daddr . meta l4proto . th dport vmap @pn_port_mapping_limits_4",
        "iifname != @pn_overlay meta l4proto { tcp, udp } dnat ip to ip daddr . meta l4proto . th dport map @pn_port_mappings_4",
      ]
    `);
    expect(chainOf(table, 'pn_port_mapping_sources')).toMatchInlineSnapshot(`
      [
        "oifname @pn_overlay ct status dnat meta l4proto tcp snat ip6 to ct original ip6 daddr . meta l4proto . ct original proto-dst map @pn_port_mapping_sources_6",
        "oifname @pn_overlay ct status dnat meta l4proto udp snat ip6 to ct original ip6 daddr . meta l4proto . ct original proto-dst map @pn_port_mapping_sources_6",
        "oifname @pn_overlay ct status dnat meta l4proto tcp snat ip to ct original ip daddr . meta l4proto . ct original proto-dst map @pn_port_mapping_sources_4",
        "oifname @pn_overlay ct status dnat meta l4proto udp snat ip to ct original ip daddr . meta l4proto . ct original proto-dst map @pn_port_mapping_sources_4",
      ]
    `);
    expect(chainOf(table, 'pn_port_mapping_mapping-2')).toMatchInlineSnapshot(`
      [
        "ip saddr != { 198.51.100.0/24 } drop",
        "limit rate over 20/second burst 20 packets drop",
        "ct count over 100 drop",
      ]
    `);
    const first = '2001:db8::5 . 6 . 8001';
    expect(table.sets.get('pn_port_mappings_6')?.elements).toEqual(new Map([[first, 'fd00:99::102 . 80']]));
    expect(table.sets.get('pn_port_mapping_targets_6')?.elements).toEqual(
      new Map([[`${first} . fd00:99::102 . 80`, '']]),
    );
    expect(chainOf(table, 'pn_forward')?.filter((one) => one.includes('@pn_port_mapping'))).toHaveLength(4);
    const nobody = rulesetFor([...hubAndSpoke, mappingEntry(3, { source_cidrs: ['198.51.100.0/24'] })]);
    expect(chainOf(nobody, 'pn_port_mapping_mapping-3')).toEqual(['drop']);
  });

  test('whatever they are, nft takes them', () => {
    for (const networkRules of fc.sample(randomNetworkRules(40), { numRuns: 12, seed: 3 }))
      readable(rulesetFor(entriesOf(networkRules)));
  });

  test('that name something nft could take for its own words are refused', () => {
    const odd = rulesetFor([...hubAndSpoke, rule(1, { rule_id: 'x" ; flush ruleset' })]);
    expect(() => freshText(odd)).toThrow('nft cannot be told of');
  });

  test('are the same for the same document in any order', () => {
    const entries = [...hubAndSpoke, ...services, ...rules];
    const back = rulesetFor([...entries].reverse());
    expect(isLoaded(back, asLoaded(rulesetFor(entries)))).toBe(true);
  });
});
