// What is said of hosts on which Docker, ufw, firewalld and Tailscale wrote their rules, from listings of real ones.
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { nodeProblem } from '@powernode/core/wire/node-problems';
import { describe, expect, test } from 'vitest';
import { hubDocument, leaf, spokeDocument, transit } from '../fixtures/documents.ts';
import type { FoundProblem } from '../observe/problems.ts';
import { networksOf } from './drops.ts';
import { type HostFacts, hostProblems } from './findings.ts';
import type { HostRules } from './host-rules.ts';
import { listed } from './listings.fixture.ts';

const key = `${'K'.repeat(43)}=`;

const both = { ...leaf(1, key, 51820), addresses: ['fd00:99::101/128', '100.64.0.1/32'] };
const firewall: EntryValue = {
  kind: 'firewall',
  network_id: both.network_id,
  handle: 'test',
  prefixes: ['fd00:99::/64', '100.64.0.0/18'],
  default_policy: 'accept',
  rematch: false,
};
const hub = [...hubDocument(1, key).slice(1), both, firewall];
const hubs = [1, 9].map((number, i) => ({
  number,
  slot: i + 1,
  publicKey: key,
  endpoint: '203.0.113.1:51820',
}));
const spoke = [...spokeDocument(2, key, hubs).slice(1), { ...both, listen_port: 0 }, firewall];

function problems(
  rules: HostRules,
  entries: readonly EntryValue[],
  facts: Partial<HostFacts> = {},
): FoundProblem[] {
  const found = hostProblems({
    rules,
    networks: networksOf(nodeDocumentOf(entries)),
    reversePathFilter: '0',
    legacyTables: [],
    bridges: [],
    statedBridges: [],
    ...facts,
  });
  for (const { code, detail, interface: name } of found) {
    // Every sentence has room in a report.
    nodeProblem.parse({ subsystem: 'host', code, detail, interface: name, since: '2026-11-29T10:00:00Z' });
  }
  return found;
}

const said = (found: readonly FoundProblem[]) => found.map(({ code, detail }) => `${code}: ${detail}`);

describe('a hub that forwards [9.27]', () => {
  test('on a host that has no filter of its own has no problem', () => {
    expect(problems(new Map(), hub)).toEqual([]);
  });

  test('beside Docker drops IPv4, and IPv6 where Docker filters that too', () => {
    expect(said(problems(listed('docker-ipv4'), hub))).toEqual([
      `host_firewall_forward: The local firewall drops IPv4 packets that this instance should forward between peers on wg-test: the policy of chain FORWARD of table ip filter (Docker). Accept -i wg-test -o wg-test in chain DOCKER-USER, or run the agent with --host-firewall accept.`,
    ]);
    expect(said(problems(listed('docker-ipv4', 'docker-ipv6'), hub))[0]).toContain(
      'drops IPv6 and IPv4 packets',
    );
  });

  test('beside ufw drops what it forwards and the calls to its port', () => {
    expect(said(problems(listed('ufw-ipv6'), hub))).toEqual([
      expect.stringMatching(
        /^host_firewall_forward: .*the policy of chain FORWARD of table ip6 filter \(ufw\)\. Run "ufw route allow in on wg-test out on wg-test"/,
      ),
      // Port 22 is open to everybody, and so to the overlay: what else is, is not known here.
      expect.stringMatching(
        /^host_firewall_partly: .*drops IPv6 incoming overlay packets on wg-test, except those that earlier rules accept: /,
      ),
      expect.stringMatching(/^host_firewall_port: .*UDP port 51820: .*Run "ufw allow 51820\/udp"/),
    ]);
  });

  test('beside firewalld drops both, by a rule and not by a policy', () => {
    expect(said(problems(listed('firewalld'), hub))).toEqual([
      expect.stringMatching(
        /^host_firewall_forward: .*IPv6 and IPv4 packets .*a rule in chain filter_FWD_public of table inet firewalld \(firewalld\)\. Assign wg-test to a zone/,
      ),
      expect.stringMatching(/^host_firewall_partly: .*a rule in chain filter_IN_public/),
      expect.stringMatching(/^host_firewall_port: .*IPv6 and IPv4 to UDP port 51820/),
    ]);
  });

  test('beside Tailscale loses IPv4 of the shared range, and nothing else', () => {
    expect(said(problems(listed('tailscale-ipv4'), hub))).toEqual([
      expect.stringMatching(
        /^host_firewall_input: .*drops IPv4 incoming overlay packets .*a rule in chain ts-input of table ip filter \(Tailscale\)/,
      ),
    ]);
    const six = [...hubDocument(1, key)];
    expect(problems(listed('tailscale-ipv4'), six)).toEqual([]);
  });
});

/** The listing with a rule put first in one chain, which accepts what goes by these interfaces. */
function accepting(rules: HostRules, name: string, way: { iif: string; oif?: string }): HostRules {
  const named = Object.entries(way).map(([key, right]) => ({
    match: { op: '==', left: { meta: { key: `${key}name` } }, right },
  }));
  const found = [...rules].filter(([, chain]) => chain.name === name);
  expect(found).not.toEqual([]);
  const changed = found.map(([key, chain]): [typeof key, typeof chain] => [
    key,
    { ...chain, rules: [[...named, { accept: null }], ...chain.rules] },
  ]);
  return new Map([...rules, ...changed]);
}

describe('interfaces other than the leaf [9.27]', () => {
  const [two, three] = [transit(1, 2, key), transit(1, 3, key)];

  test('of a hub that passes packets on to other hubs are looked at, each with each', () => {
    const rules = accepting(listed('docker-ipv6'), 'DOCKER-USER', { iif: 'wg-test', oif: 'wg-test' });
    expect(problems(rules, hub)).toEqual([]);
    const [found, ...more] = problems(rules, [...hub, two]);
    expect(more).toEqual([]);
    expect(found).toMatchObject({ code: 'host_firewall_forward', interface: 'wg-test' });
    expect(found?.detail).toBe(
      'The local firewall drops IPv6 packets that this instance should forward between peers on wg-test, wg-test-2: the policy of chain FORWARD of table ip6 filter (Docker). Accept -i A -o B in chain DOCKER-USER (A wg-test to B wg-test-2; A wg-test-2 to B wg-test), or run the agent with --host-firewall accept.',
    );
    // One way alone is named as it would be typed.
    const there = accepting(rules, 'DOCKER-USER', { iif: 'wg-test', oif: 'wg-test-2' });
    expect(problems(there, [...hub, two])[0]?.detail).toContain('Accept -i wg-test-2 -o wg-test in chain');
  });

  test('are all named, and what one hub sends to another is not forwarded', () => {
    const detail = problems(listed('ufw-ipv6'), [...hub, two, three])[0]?.detail;
    expect(detail).toContain(
      'Run "ufw route allow in on A out on B" (A wg-test to B wg-test, wg-test-2, wg-test-3; A wg-test-2, wg-test-3 to B wg-test), or',
    );
    expect(said(problems(listed('firewalld'), [...hub, two, three]))[0]).toContain(
      'Assign wg-test, wg-test-2, wg-test-3 to a zone that forwards',
    );
  });

  test('of a spoke are where packets come in', () => {
    const found = problems(accepting(listed('ufw-ipv6'), 'INPUT', { iif: 'wg-test' }), spoke);
    expect(found).toMatchObject([{ code: 'host_firewall_partly', interface: 'wg-test-1' }]);
    expect(found[0]?.detail).toContain('on wg-test-1, wg-test-2, except ');
  });

  test('leave room in the sentence when there are many', () => {
    const many = Array.from({ length: 8 }, (_, i) => ({
      ...transit(1, i + 1, key),
      name: `wg-nineletter-${i + 1}`,
    }));
    const longLeaf = { ...both, name: 'wg-nineletter' };
    const entries = [...hub.filter((one) => one !== both), longLeaf, ...many];
    for (const rules of ['docker-ipv6', 'ufw-ipv6', 'firewalld']) {
      const [{ detail } = { detail: '' }] = problems(listed(rules), entries);
      expect(detail).toContain('wg-nineletter, wg-nineletter-{1,2,3,4,5,6,7,8}');
    }
  });
});

describe('a spoke of two hubs [9.27]', () => {
  test('beside firewalld loses what comes by another hub', () => {
    expect(said(problems(listed('firewalld'), spoke))).toContainEqual(
      expect.stringMatching(
        /^reverse_path_filter: While a hub is offline, routing is asymmetric: .*chain filter_PREROUTING of table inet firewalld \(set IPv6_rpfilter to no or loose/,
      ),
    );
  });

  test('says so of the kernel as well, where it has IPv4', () => {
    expect(said(problems(new Map(), spoke, { reversePathFilter: '1' }))).toEqual([
      expect.stringMatching(/^reverse_path_filter: .*net\.ipv4\.conf\.all\.rp_filter = 1 \(set it to 2/),
    ]);
    expect(problems(new Map(), spokeDocument(2, key, hubs), { reversePathFilter: '1' })).toEqual([]);
    expect(problems(new Map(), spoke, { reversePathFilter: '2' })).toEqual([]);
    expect(problems(new Map(), hub, { reversePathFilter: '1' })).toEqual([]);
  });
});

describe('tables of iptables-legacy [9.27]', () => {
  test('are said to be unknown, with how to look at them', () => {
    expect(said(problems(new Map(), hub, { legacyTables: [4, 6] }))).toEqual([
      'host_firewall_partly: The kernel has a filter table of iptables-legacy for IPv4 and IPv6, which the agent cannot read: rules in it may drop overlay packets. Check "iptables-legacy -S" and "ip6tables-legacy -S", and move the rules to nftables (iptables-nft).',
    ]);
    expect(said(problems(new Map(), hub, { legacyTables: [6] }))[0]).toMatch(
      / for IPv6, .*"ip6tables-legacy -S"/,
    );
    expect(problems(new Map(), [], { legacyTables: [4] })).toEqual([]);
  });
});

describe('containers behind a bridge [9.27]', () => {
  const facts = { bridges: ['docker0', 'br0'] };

  test('are said to be cut off until the owner of the machine lets them in', () => {
    const codes = (stated: readonly string[]) =>
      problems(listed('docker-ipv4'), spoke, { ...facts, statedBridges: stated })
        .filter(({ code }) => code === 'bridge_cut_off')
        .map(({ interface: name }) => name);
    // A bridge that nothing translates for is of no interest.
    expect(codes([])).toEqual(['docker0']);
    expect(codes(['docker0'])).toEqual([]);
    expect(said(problems(listed('docker-ipv4'), spoke, facts))).toContainEqual(
      'bridge_cut_off: Containers and virtual machines behind docker0 cannot use an overlay. If they should, run the agent with --bridge docker0; the firewall rules of the network then apply to them.',
    );
  });

  test('are of no interest to a machine without overlays', () => {
    expect(problems(listed('docker-ipv4'), [], facts)).toEqual([]);
  });
});
