// What is said of hosts whose filters drop packets of LANs, pods and port mappings, and what is run to let them through.
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { nodeProblem } from '@powernode/core/wire/node-problems';
import { describe, expect, test } from 'vitest';
import { addressOf, hubDocument, leaf, networkId, spokeDocument, transit } from '../fixtures/documents.ts';
import { freshFolder } from '../fixtures/folder.ts';
import type { FoundProblem } from '../observe/problems.ts';
import { FakeRun } from '../ports/run.fixture.ts';
import { HostAcceptance } from './accept.ts';
import type { OutsideAddress } from './behind.ts';
import { hostDrops, networksOf } from './drops.ts';
import { hostProblems } from './findings.ts';
import type { HostRules } from './host-rules.ts';
import { listed } from './listings.fixture.ts';

const key = `${'K'.repeat(43)}=`;
const both = { ...leaf(1, key, 51820), addresses: ['fd00:99::101/128', '100.64.0.1/32'] };
const hub: readonly EntryValue[] = [...hubDocument(1, key).slice(1), both];
const spoke: readonly EntryValue[] = spokeDocument(2, key, [
  { number: 1, slot: 1, publicKey: key, endpoint: '203.0.113.1:51820' },
]);

function lan(prefix: string, local = prefix): EntryValue {
  const of = { network_id: networkId, subnet_id: prefix, handle: 'test', source_nat: false };
  return { kind: 'lan', key: `lan/${prefix}`, ...of, prefix, local_prefix: local };
}

function mapping(more: { external?: string; target?: string; port?: number } = {}): EntryValue {
  const { external = '203.0.113.5', target = '100.64.0.9', port = 80 } = more;
  return {
    ...{ kind: 'port_mapping', network_id: networkId, port_mapping_id: `m-${port}`, protocol: 'tcp' },
    ...{ external_address: external, external_port: 8000, target_address: target, target_port: port },
    ...{ source_cidrs: [], rate_limit: null, max_connections: null, source_address: '100.64.0.1' },
  };
}

const outside: readonly OutsideAddress[] = [
  { name: 'eth0', address: '203.0.113.5', prefixLength: 24 },
  { name: 'eth0', address: '2001:db8::5', prefixLength: 64 },
  { name: 'eth1', address: '192.168.7.1', prefixLength: 24 },
  { name: 'eth1', address: 'fd00:7::1', prefixLength: 64 },
  { name: 'cni0', address: '10.42.3.1', prefixLength: 24 },
];

function drops(rules: HostRules, entries: readonly EntryValue[]) {
  return hostDrops({ rules, networks: networksOf(nodeDocumentOf(entries), outside) });
}

/** Of hosts behind the machine alone. */
function problems(rules: HostRules, entries: readonly EntryValue[]): FoundProblem[] {
  const networks = networksOf(nodeDocumentOf(entries), outside);
  const none = { reversePathFilter: '0', legacyTables: [], bridges: [], statedBridges: [] };
  const found = hostProblems({ rules, networks, ...none });
  for (const { code, detail, interface: name } of found) {
    // Every sentence has room in a report.
    nodeProblem.parse({ subsystem: 'host', code, detail, interface: name, since: '2026-12-01T10:00:00Z' });
  }
  return found.filter(({ code, detail }) => /lan|mapping/.test(code) || /LANs|port mappings/.test(detail));
}

const said = (found: readonly FoundProblem[]) => found.map(({ code, detail }) => `${code}: ${detail}`);

/** What is run, and what takes it back. */
async function accepted(rules: HostRules, entries: readonly EntryValue[]): Promise<readonly string[]> {
  const tools = { iptables: () => ({}), ip6tables: () => ({}), ufw: () => ({}), 'firewall-cmd': () => ({}) };
  const run = new FakeRun(tools);
  const found = drops(rules, entries).filter(({ what }) => what === 'lan' || what === 'port_mapping');
  await new HostAcceptance({ run, folder: freshFolder() }).accept(found);
  return run.log;
}

describe('a LAN behind this machine [9.27]', () => {
  const router = [...spoke, lan('192.168.7.0/24')];

  test('beside Docker is cut off in both directions', async () => {
    expect(said(problems(listed('docker-ipv4'), router))).toEqual([
      'host_firewall_lan: The local firewall drops IPv4 packets between wg-test, wg-test-1 and LANs or pods behind this instance on eth1: the policy of chain FORWARD of table ip filter (Docker). Accept -i A -o B in chain DOCKER-USER (A eth1 to B wg-test, wg-test-1; A wg-test, wg-test-1 to B eth1), or run the agent with --host-firewall accept.',
    ]);
    const rule = (from: string, to: string) =>
      `iptables -w -I DOCKER-USER -i ${from} -o ${to} -m comment --comment powernode -j ACCEPT`;
    expect(await accepted(listed('docker-ipv4'), router)).toEqual([
      rule('eth1', 'wg-test'),
      rule('wg-test', 'eth1'),
      rule('eth1', 'wg-test-1'),
      rule('wg-test-1', 'eth1'),
    ]);
  });

  test('of a family that Docker does not filter is not', () => {
    expect(problems(listed('docker-ipv4'), [...spoke, lan('fd00:7::/64')])).toEqual([]);
    expect(problems(new Map(), router)).toEqual([]);
  });

  test('beside ufw has routes of ufw', async () => {
    const six = [...spoke, lan('fd00:7::/64')];
    expect(said(problems(listed('ufw-ipv6'), six))).toEqual([
      expect.stringMatching(
        /^host_firewall_lan: .*IPv6 packets .*on eth1: .*\(ufw\)\. Run "ufw route allow in on A out on B"/,
      ),
    ]);
    expect(await accepted(listed('ufw-ipv6'), six)).toContain(
      'ufw route allow in on wg-test-1 out on eth1 comment powernode',
    );
  });

  test('beside firewalld keeps the zone of its interface', async () => {
    expect(said(problems(listed('firewalld'), router))).toEqual([
      expect.stringMatching(
        /^host_firewall_lan: .*\(firewalld\)\. Add a policy that accepts between the zones of eth1 and wg-test, wg-test-1\.$/,
      ),
    ]);
    expect(await accepted(listed('firewalld'), router)).toEqual([]);
  });

  test('that another router leads to is by an interface that is not known', async () => {
    const far = [...spoke, lan('192.168.70.0/24')];
    expect(said(problems(listed('docker-ipv4'), far))).toEqual([
      // Rules about interfaces that are not known may accept what comes in there; what goes out is by none of them.
      expect.stringMatching(
        /^host_firewall_partly: .* packets from LANs or pods behind this instance to wg-test, wg-test-1, except .*\(A any other interface to B wg-test, wg-test-1\)/,
      ),
      expect.stringMatching(
        /^host_firewall_lan: .* packets from wg-test, wg-test-1 to LANs or pods behind this instance: .*\(A wg-test, wg-test-1 to B any other interface\)/,
      ),
    ]);
    expect(await accepted(listed('docker-ipv4'), far)).toContain(
      'iptables -w -I DOCKER-USER -i wg-test-1 -m comment --comment powernode -j ACCEPT',
    );
  });

  test('that holds more than the link of the interface is by that one', () => {
    expect(problems(listed('docker-ipv4'), [...spoke, lan('192.168.0.0/16')])[0]?.detail).toContain(
      'on eth1',
    );
    expect(problems(listed('docker-ipv4'), [...spoke, lan('192.168.7.128/25')])[0]?.detail).toContain(
      'on eth1',
    );
  });

  test('leaves room in the sentence beside many hubs', () => {
    const many = Array.from({ length: 8 }, (_, i) => ({
      ...transit(1, i + 1, key),
      name: `wg-nineletter-${i + 1}`,
    }));
    const entries = [{ ...both, name: 'wg-nineletter' }, ...many, lan('192.168.7.0/24'), lan('10.42.3.0/24')];
    for (const rules of ['docker-ipv4', 'firewalld'])
      expect(problems(listed(rules), entries)).toHaveLength(1);
  });
});

/** The listing with a rule put first in one chain, which accepts what goes to this TCP port. */
function openFor(rules: HostRules, name: string, port: number): HostRules {
  const rule = [
    { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: port } },
    { accept: null },
  ];
  const found = [...rules].filter(([, chain]) => chain.name === name);
  expect(found).not.toEqual([]);
  const changed = found.map(([key, chain]): [typeof key, typeof chain] => [
    key,
    { ...chain, rules: [rule, ...chain.rules] },
  ]);
  return new Map([...rules, ...changed]);
}

describe('a filter that lets some packets pass [9.27]', () => {
  const some = openFor(listed('docker-ipv4'), 'FORWARD', 443);
  const router = [...spoke, lan('192.168.7.0/24')];

  test('is a warning that says what is certain, of LANs as of the overlay', () => {
    expect(said(problems(some, router))).toEqual([
      expect.stringMatching(
        /^host_firewall_partly: The local firewall drops IPv4 packets between wg-test, wg-test-1 and LANs or pods behind this instance on eth1, except those that earlier rules accept: the policy of chain FORWARD/,
      ),
    ]);
    expect(problems(some, router)).toMatchObject([{ interface: 'eth1' }]);
  });

  test('is one of port mappings, unless it is known to drop them', () => {
    const codes = (entries: readonly EntryValue[]) => problems(some, entries).map(({ code }) => code);
    expect(codes([...hub, mapping()])).toEqual(['host_firewall_port_mapping']);
    expect(codes([...hub, mapping({ port: 443 })])).toEqual([]);
    expect(codes([...hub, mapping({ port: 443 }), mapping()])).toEqual(['host_firewall_partly']);
  });
});

test('pods of this machine are behind the bridge of their cluster [9.27]', () => {
  const [found] = problems(listed('docker-ipv4'), [...spoke, lan('10.42.3.0/24')]);
  expect(found).toMatchObject({ code: 'host_firewall_lan', interface: 'cni0' });
  expect(found?.detail).toContain('behind this instance on cni0');
});

describe('port mappings of a hub [9.27]', () => {
  test('beside Docker come in, and their replies go out, by rules of their own', async () => {
    const [found, ...more] = problems(listed('docker-ipv4'), [...hub, mapping()]);
    expect(more).toEqual([]);
    expect(found).toMatchObject({ code: 'host_firewall_port_mapping', interface: 'eth0' });
    expect(found?.detail).toMatch(
      /^The local firewall drops IPv4 packets of port mappings between eth0 and wg-test: the policy of chain FORWARD of table ip filter \(Docker\)\./,
    );
    expect(await accepted(listed('docker-ipv4'), [...hub, mapping(), mapping({ port: 81 })])).toEqual([
      'iptables -w -I DOCKER-USER -i eth0 -o wg-test -m comment --comment powernode -j ACCEPT',
      'iptables -w -I DOCKER-USER -i wg-test -o eth0 -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment powernode -j ACCEPT',
    ]);
  });

  test('beside ufw come in by a route of ufw, which lets replies out by itself', async () => {
    const six = mapping({ external: '2001:db8::5', target: addressOf(9) });
    expect(await accepted(listed('ufw-ipv6'), [...hub, six])).toEqual([
      'ufw route allow in on eth0 out on wg-test comment powernode',
    ]);
  });

  test('beside firewalld are let through as it does for every translated destination', () => {
    expect(problems(listed('firewalld'), [...hub, mapping()])).toEqual([]);
  });

  test('to this machine itself are not forwarded', () => {
    expect(problems(listed('docker-ipv4'), [...hub, mapping({ target: '100.64.0.1' })])).toEqual([]);
  });
});

describe('port mappings to the hub itself [9.27]', () => {
  const own = (port: number) => mapping({ external: '2001:db8::5', target: 'fd00:99::101', port });

  test('beside ufw come in by the port that they lead to, which only its owner opens', async () => {
    const found = problems(listed('ufw-ipv6'), [...hub, own(8443), own(8444)]);
    expect(said(found)).toEqual([
      'host_firewall_port_mapping: The local firewall drops IPv6 packets of port mappings to TCP port 8443, TCP port 8444 of this instance itself on eth0: the policy of chain INPUT of table ip6 filter (ufw). Run "ufw allow in on eth0 to OVERLAY_ADDRESS port 8443 proto tcp" for each port, with the overlay address of this instance.',
    ]);
    expect(found).toMatchObject([{ interface: 'eth0' }]);
    const itself = drops(listed('ufw-ipv6'), [...hub, own(8443)]).filter(
      ({ what }) => what === 'local_mapping',
    );
    const run = new FakeRun({ ufw: () => ({}) });
    await new HostAcceptance({ run, folder: freshFolder() }).accept(itself);
    expect(run.log).toEqual([]);
  });

  test('to a port that is open, or that firewalld lets in as translated, are no problem', () => {
    expect(problems(openFor(listed('ufw-ipv6'), 'INPUT', 8443), [...hub, own(8443)])).toEqual([]);
    expect(problems(listed('firewalld'), [...hub, own(8443)])).toEqual([]);
  });

  test('of many ports say how many more there are', () => {
    const many = Array.from({ length: 60 }, (_, i) => own(9000 + i));
    const [found, ...more] = problems(listed('ufw-ipv6'), [...hub, ...many]);
    expect(more).toEqual([]);
    expect(found?.detail).toContain('TCP port 9004, and 55 more of this instance itself');
  });
});
