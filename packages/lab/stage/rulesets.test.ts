// The rulesets of NATs and cuts as a person would read them. That nft takes them and that they do what they
// say is shown with packets in nat.net.test.ts and stage.net.test.ts.
import { expect, test } from 'vitest';
import { bridgeCut } from './cut.ts';
import { natRuleset } from './nat.ts';

const wire = {
  segment: 'public',
  port: 'p1',
  device: 'wan',
  mac: '02:50:4e:00:00:01',
  address4: '198.51.100.11',
  address6: null,
};

test('a cone NAT', () => {
  expect(natRuleset({ name: 'n', kind: 'cone', wan: wire, lan: wire })).toBe(`table ip lab_nat
delete table ip lab_nat
table ip lab_nat {
  chain lab_forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "lan" oifname "wan" accept
  }
  chain lab_input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iifname { "lo", "lan" } accept
  }
  map lab_mapping {
    type ipv4_addr . inet_service : inet_service
    flags dynamic,timeout
    timeout 300s
    size 65535
  }
  set lab_taken {
    type inet_service
    flags dynamic,timeout
    timeout 300s
    size 65535
  }
  chain lab_source {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "wan" meta l4proto udp snat ip to 198.51.100.11 : ip saddr . udp sport map @lab_mapping
    oifname "wan" udp sport @lab_taken masquerade fully-random
    oifname "wan" masquerade
  }
  chain lab_learn {
    type filter hook postrouting priority srcnat + 10; policy accept;
    oifname "wan" ip protocol udp update @lab_mapping { ct original ip saddr . ct original proto-src : udp sport }
    oifname "wan" ip protocol udp update @lab_taken { udp sport }
  }
}
`);
});

test('a symmetric NAT', () => {
  expect(natRuleset({ name: 'n', kind: 'symmetric', wan: wire, lan: wire })).toContain(`
  chain lab_source {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "wan" masquerade fully-random
  }
}
`);
});

test('a cut: both directions of both families, under one name whatever the order', () => {
  const guards = [{ port: 'p5', of: 'far' as const, addresses: ['198.51.100.13', '2001:db8:51::13'] }];
  const barrier = { guards, pairs: [{ one: 'p5', other: 'p6' }] };
  const text = `table bridge lab_cut {
  chain cut_a_b {
    type filter hook forward priority 0; policy accept;
  }
}
flush chain bridge lab_cut cut_a_b
table bridge lab_cut {
  chain cut_a_b {
    iifname "p5" ip daddr 198.51.100.13 drop
    oifname "p5" ip saddr 198.51.100.13 drop
    iifname "p5" ip6 daddr 2001:db8:51::13 drop
    oifname "p5" ip6 saddr 2001:db8:51::13 drop
    iifname "p5" oifname "p6" drop
    iifname "p6" oifname "p5" drop
  }
}
`;
  expect(bridgeCut({ a: 'a', b: 'b' }, barrier)).toBe(text);
  expect(bridgeCut({ a: 'b', b: 'a' }, barrier)).toBe(text);
});
