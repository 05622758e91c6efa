// The text of a small network, whole, and how policies become route-maps.
import { describe, expect, it } from 'vitest';
import { compilePolicies } from './compile.ts';
import { configText } from './config-lines.ts';
import { Lists } from './lists.ts';
import type { Routing, Statement } from './model.ts';
import { renderBgpd } from './render.ts';

const reflector: Routing = {
  speaker: { as_number: 65_010, router_id: '0.0.1.1', host_address: 'fd00:99::101', role: 'reflector' },
  neighbors: [
    { host_address: 'fd00:99::103', role: 'client', accept: ['10.1.0.0/24', '10.1.1.0/24', 'fd00:a::/64'] },
    { host_address: 'fd00:99::102', role: 'reflector', accept: null },
  ],
  subnets: [
    { prefix: 'fd00:b::/64', announcers: [{ next_hop: 'fd00:99::101', preference: 200 }] },
    ...['fd00:a::/64', '10.1.0.0/24', '10.1.1.0/24'].map((prefix) => ({
      prefix,
      announcers: [{ next_hop: 'fd00:99::103', preference: 100 }],
    })),
  ],
  policies: [],
};

it('a reflector is configured so', () => {
  expect(configText(renderBgpd(reflector))).toBe(`bgp route-map delay-timer 1
ip prefix-list pn-4-64394210a6 seq 5 permit 10.1.0.0/23 ge 24 le 24
ipv6 prefix-list pn-6-6ec9c14c52 seq 5 permit fd00:a::/64
route-map pn-from4-4c10d47977 permit 1
 match ip address prefix-list pn-4-64394210a6
 set community none
 set ipv6 next-hop global fd00:99::103
 set large-community 65010:0:259
 set local-preference 100
 set metric 0
 set originator-id 0.0.1.3
exit
route-map pn-from4-4c10d47977 deny 2
 description fd00:99::103
exit
route-map pn-from6-ab4ae3dd8d permit 1
 match ipv6 address prefix-list pn-6-6ec9c14c52
 set community none
 set ipv6 next-hop global fd00:99::103
 set large-community 65010:0:259
 set local-preference 100
 set metric 0
 set originator-id 0.0.1.3
exit
route-map pn-from6-ab4ae3dd8d deny 2
 description fd00:99::103
exit
route-map pn-none deny 1
exit
route-map pn-origin-8f338d0aae permit 1
 set large-community 65010:0:257
 set local-preference 200
exit
router bgp 65010
 bgp router-id 0.0.1.1
 bgp always-compare-med
 no bgp default ipv4-unicast
 no bgp network import-check
 timers bgp 3 9
 neighbor pn-client peer-group
 neighbor pn-client remote-as internal
 neighbor pn-client bfd
 neighbor pn-client bfd profile powernode
 neighbor pn-client update-source fd00:99::101
 neighbor pn-client timers connect 1
 neighbor pn-client capability extended-nexthop
 neighbor pn-reflector-all peer-group
 neighbor pn-reflector-all remote-as internal
 neighbor pn-reflector-all bfd
 neighbor pn-reflector-all bfd profile powernode
 neighbor pn-reflector-all update-source fd00:99::101
 neighbor pn-reflector-all timers connect 1
 neighbor pn-reflector-all capability extended-nexthop
 neighbor fd00:99::102 peer-group pn-reflector-all
 neighbor fd00:99::103 peer-group pn-client
 address-family ipv4 unicast
  neighbor pn-client activate
  neighbor pn-client addpath-tx-all-paths
  neighbor pn-client route-reflector-client
  neighbor pn-client allowas-in 10
  neighbor pn-client route-map pn-none in
  neighbor pn-reflector-all activate
  neighbor pn-reflector-all addpath-tx-all-paths
  neighbor pn-reflector-all allowas-in 10
  neighbor fd00:99::103 maximum-prefix 2 100 warning-only force
  neighbor fd00:99::103 route-map pn-from4-4c10d47977 in
 exit-address-family
 address-family ipv6 unicast
  network fd00:b::/64 route-map pn-origin-8f338d0aae
  neighbor pn-client activate
  neighbor pn-client addpath-tx-all-paths
  neighbor pn-client route-reflector-client
  neighbor pn-client allowas-in 10
  neighbor pn-client route-map pn-none in
  neighbor pn-reflector-all activate
  neighbor pn-reflector-all addpath-tx-all-paths
  neighbor pn-reflector-all allowas-in 10
  neighbor fd00:99::103 maximum-prefix 1 100 warning-only force
  neighbor fd00:99::103 route-map pn-from6-ab4ae3dd8d in
 exit-address-family
exit
`);
});

const statement = (seq: number, of: Partial<Statement>): Statement => ({
  seq,
  match: {},
  set: {},
  action: 'permit',
  ...of,
});

describe('a client is believed its prefixes alone', () => {
  const filterOf = (statements: readonly Statement[]) => {
    const policies = [{ route_policy_id: 'p', direction: 'export', statements }] as const;
    const text = configText(renderBgpd({ ...reflector, policies }));
    return text
      .replaceAll(/(pn-\w+)-[0-9a-f]{10}/g, '$1')
      .split(/(?<=exit\n)/)
      .filter((part) => /^route-map pn-from/m.test(part))
      .map((part) => part.slice(part.search(/^route-map pn-/m)));
  };

  it('with what export policies make of them', () => {
    const set = { local_pref: 300, med: 7, community: '65010:7 no-export', next_hop: 'fd00:99::102' };
    const [four, , six] = filterOf([statement(10, { match: { prefix: 'fd00:a::/64' }, set })]);
    expect(six).toBe(`route-map pn-from6 permit 1
 match ipv6 address prefix-list pn-6
 set community 65010:7 no-export
 set ipv6 next-hop global fd00:99::102
 set large-community 65010:0:259
 set local-preference 300
 set metric 7
 set originator-id 0.0.1.3
exit
`);
    expect(four).toContain('set local-preference 100\n');
  });

  it('and prefixes that export policies deny are none of them', () => {
    expect(filterOf([statement(10, { action: 'deny' })])).toEqual([
      'route-map pn-from4 deny 1\n description fd00:99::103\nexit\n',
      'route-map pn-from6 deny 1\n description fd00:99::103\nexit\n',
    ]);
  });

  it('and one that is not prepended as it should be is used last', () => {
    const parts = filterOf([statement(10, { match: { prefix: 'fd00:a::/64' }, set: { prepend: 2 } })]);
    expect(parts.filter((part) => part.startsWith('route-map pn-from6'))).toEqual([
      expect.stringMatching(/ match as-path pn-a\n match ipv6 .*\n[^]* set local-preference 100\n/),
      expect.stringMatching(/^[^\n]*permit 2\n match ipv6 .*\n[^]* set local-preference 0\n/),
      expect.stringContaining('deny 3'),
    ]);
  });
});

function compiled(...statements: readonly Statement[]): string {
  const lists = new Lists();
  const policies = [{ route_policy_id: 'p', direction: 'import', statements }] as const;
  const map = compilePolicies(policies, { direction: 'import', asNumber: 65_010, lists });
  return configText([...lists.lines(), ...(map?.lines ?? [])]).replaceAll(/(pn-\w+)-[0-9a-f]{10}/g, '$1');
}

describe('policies', () => {
  it('have a route-map with a final permit', () => {
    const text = compiled(
      statement(10, {
        match: { prefix: 'fd00:a::/96', announcer: 'fd00:99::103' },
        set: { local_pref: 200 },
      }),
      statement(20, {
        match: { prefix: 'fd00:a::/96', community: '65010:1', as_path: '_65001_' },
        action: 'deny',
      }),
      statement(30, {
        match: { community: 'no-export' },
        set: { med: 5, prepend: 2, community: '65010:7', next_hop: 'fd00:99::102' },
      }),
    );
    expect(text).toBe(`ipv6 prefix-list pn-6 seq 5 permit fd00:a::/96
bgp as-path access-list pn-a seq 5 permit _65001_
bgp community-list standard pn-c seq 5 permit 65010:1
bgp community-list standard pn-c seq 5 permit no-export
bgp large-community-list standard pn-p seq 5 permit 65010:0:259
route-map pn-in permit 1
 match ipv6 address prefix-list pn-6
 match large-community pn-p
 set local-preference 200
exit
route-map pn-in deny 2
 match as-path pn-a
 match community pn-c
 match ipv6 address prefix-list pn-6
exit
route-map pn-in permit 3
 match community pn-c
 set as-path prepend 65010 65010
 set community 65010:7
 set ipv6 next-hop global fd00:99::102
 set metric 5
exit
route-map pn-in permit 4
exit
`);
  });

  it('share an entry where they differ in adjacent prefixes alone, and a list where families do not', () => {
    const set = { local_pref: 200 };
    const text = compiled(
      ...['10.1.0.0/24', '10.1.1.0/24', 'fd00:a::/64', '10.1.0.0/24'].map((prefix, i) =>
        statement(i, { match: { prefix }, set }),
      ),
    );
    expect(text).toBe(`ip prefix-list pn-4 seq 5 permit 10.1.0.0/23 ge 24 le 24
ipv6 prefix-list pn-6 seq 5 permit fd00:a::/64
route-map pn-in permit 1
 match ipv6 address prefix-list pn-6
 set local-preference 200
exit
route-map pn-in permit 2
 match ip address prefix-list pn-4
 set local-preference 200
exit
route-map pn-in permit 3
exit
`);
  });

  it('have nothing for what happens anyway', () => {
    expect(compiled(statement(10, { match: { prefix: 'fd00:a::/64' } }), statement(20, {}))).toBe('');
    const denied = compiled(statement(10, { action: 'deny' }), statement(20, { set: { med: 1 } }));
    expect(denied).toBe('route-map pn-in deny 1\nexit\n');
  });

  it('divide a long list, so that one more prefix changes a part of it', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) =>
        statement(i, { match: { prefix: `fd00:a:${(3 * i).toString(16)}::/48` }, action: 'deny' }),
      );
    const linesOf = (statements: readonly Statement[]) => {
      const lists = new Lists();
      const policies = [{ route_policy_id: 'p', direction: 'import', statements }] as const;
      compilePolicies(policies, { direction: 'import', asNumber: 65_010, lists });
      return lists.lines().map(({ line }) => line);
    };
    const before = new Set(linesOf(many(1000)));
    expect(before.size).toBe(1000);
    expect(linesOf(many(1001)).filter((line) => !before.has(line)).length).toBeLessThanOrEqual(64);
  });
});
