// BGP between real agents: two hubs and three spokes, of which two are in front of the same prefix. Needs root and FRR.
// Prints what it measured.
import { existsSync } from 'node:fs';
import type { BgpSessionObservation } from '@powernode/core/wire/node-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet, Flow, pings, until } from './fixtures/agents.ts';
import { addressOf } from './fixtures/documents.ts';
import { Overlay, subnetBehind } from './fixtures/overlay.ts';
import { PingLog } from './fixtures/ping-log.ts';

const canRun = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/lib/frr/bgpd');
const prefix = 'fd00:7::/64';
const shared = 'fd00:7::1';
const hubs = ['hub1', 'hub2'];
const edges = ['edge1', 'edge2', 'edge3'];
const names = [...hubs, ...edges];

describe.skipIf(!canRun)('two hubs and three spokes with iBGP', () => {
  const fleet = new Fleet();
  let overlay: Overlay;
  const host = (name: string) => fleet.member(name).host;

  beforeAll(async () => {
    await fleet.start(names);
    for (const name of ['edge1', 'edge2']) {
      await host(name).must('ip', 'address', 'add', `${shared}/64`, 'dev', 'lo', 'nodad');
    }
    overlay = new Overlay(fleet, { hubs, spokes: edges });
    overlay.setItem(subnetBehind(overlay.peerId('edge1'), { id: 'subnet-1', prefix, preference: 200 }));
    overlay.setItem(subnetBehind(overlay.peerId('edge2'), { id: 'subnet-2', prefix, preference: 100 }));
    await overlay.apply();
    await until(() => pings(host('edge3'), shared));
  });
  afterAll(() => fleet.end());

  /** What a node has said of its sessions last, by peer. */
  function sessions(name: string, from = 0): Map<string, BgpSessionObservation> {
    const last = new Map<string, BgpSessionObservation>();
    for (const { hostname, message } of fleet.platform.said.slice(from)) {
      if (hostname !== name || message.kind !== 'observed') continue;
      for (const one of message.bgp_sessions ?? []) last.set(one.peer_id, one);
    }
    return last;
  }

  /** hub1, hub2: all others; a spoke: both hubs. */
  const neighborsOf = (name: string) => (hubs.includes(name) ? names.length - 1 : hubs.length);

  async function allEstablished(from = 0): Promise<void> {
    for (const name of names) {
      await until(async () => {
        const found = [...sessions(name, from).values()];
        const up = found.filter(({ state }) => state === 'Established');
        return up.length === neighborsOf(name) && found.length === up.length;
      });
    }
  }

  /** The spoke that a hub sends packets for the shared prefix to. */
  async function usedBy(hub: string): Promise<string | undefined> {
    const text = await host(hub).must('wg', 'show', 'wg-test', 'allowed-ips');
    const line = text.split('\n').find((one) => one.includes(prefix));
    return edges.find((name) => line?.startsWith(fleet.key(name)));
  }

  async function allUse(name: string): Promise<void> {
    await until(async () => (await usedBy('hub1')) === name && (await usedBy('hub2')) === name);
  }

  const pidsOf = async (name: string, program: string) =>
    (await host(name).run('pgrep', '--exact', program)).stdout.trim().split('\n').filter(Boolean);

  /** What FRR was configured with, as often as it was. */
  const configurations = (name: string) =>
    (fleet.logs.get(name) ?? '').split('bgpd was configured').length - 1;

  async function measured(what: string, at: { breaks(): Promise<unknown>; mends(): Promise<unknown> }) {
    const log = new PingLog(host('edge3'), shared);
    await log.more(50);
    const brokenMs = Date.now();
    await at.breaks();
    await allUse('edge2');
    const movedMs = Date.now() - brokenMs;
    await log.more(100);
    const gapMs = log.longestGapMs();
    const repairedMs = Date.now();
    await at.mends();
    await allEstablished();
    await allUse('edge1');
    await log.more(100);
    const backMs = log.longestGapMs(repairedMs);
    await log.end();
    console.log(`${what}: moved within ${movedMs} ms, longest gap ${gapMs} ms, going back ${backMs} ms`);
    return { gapMs, movedMs };
  }

  test('as long as no network has BGP, nothing of FRR is started', async () => {
    for (const name of names) expect(await pidsOf(name, 'zebra')).toEqual([]);
  });

  test('from static routes to BGP and to static routes no packet is lost', async () => {
    const flow = new Flow(host('edge3'), shared);
    overlay.asNumber = 65_010;
    await overlay.apply();
    await allEstablished();
    await allUse('edge1');
    // Once more, with daemons that have gone meanwhile.
    const from = fleet.platform.said.length;
    overlay.asNumber = null;
    await overlay.apply();
    for (const name of names) await until(async () => (await pidsOf(name, 'bgpd')).length === 0);
    overlay.asNumber = 65_010;
    await overlay.apply();
    await allEstablished(from);
    await allUse('edge1');
    const { sent, lost } = await flow.end();
    console.log(`static and BGP by turns: ${lost} of ${sent} packets lost`);
    expect(lost).toBe(0);
  });

  test('a bgpd that is killed takes its prefix with it, and brings it back', async () => {
    const { gapMs, movedMs } = await measured('bgpd killed', {
      breaks: async () => host('edge1').must('kill', '-KILL', ...(await pidsOf('edge1', 'bgpd'))),
      mends: async () => undefined,
    });
    expect(gapMs).toBeLessThan(3_000);
    expect(movedMs).toBeLessThan(5_000);
  });

  test('a path that is cut takes the prefix with it', async () => {
    const { gapMs } = await measured('path cut', {
      breaks: () => host('edge1').must('ip', 'link', 'set', 'eth0', 'down'),
      mends: () => host('edge1').must('ip', 'link', 'set', 'eth0', 'up'),
    });
    expect(gapMs).toBeLessThan(3_000);
  });

  test('a preference decides, and what is not about BGP configures nothing', async () => {
    const change = (preference: number) =>
      overlay.setItem(subnetBehind(overlay.peerId('edge1'), { id: 'subnet-1', prefix, preference }));
    change(50);
    await overlay.apply();
    await allUse('edge2');
    change(200);
    await overlay.apply();
    await allUse('edge1');
    const before = names.map(configurations);
    const rule = { direction: 'both', action: 'drop', protocol: 'tcp', ports: [179, 179] } as const;
    overlay.setItem({
      ...{ type: 'firewall_rule', id: 'rule-1', networkId: overlay.networkId, enabled: true },
      ...{ ...rule, selector: { kind: 'all' }, destination: { kind: 'all' } },
    });
    await overlay.apply();
    await until(() => pings(host('edge3'), shared));
    expect(names.map(configurations)).toEqual(before);
  });

  /** The next hops that the bgpd of a hub takes for the prefix, all as good. */
  async function nextHopsAt(hub: string): Promise<string[]> {
    const ask = `vtysh --vty_socket $(dirname /run/powernode-frr/*/bgpd-*/bgpd.vty) -c 'show bgp ipv6 unicast ${prefix} json'`;
    const answer = JSON.parse(await host(hub).must('sh', '-c', ask)) as {
      readonly paths?: readonly {
        readonly bestpath?: { readonly overall?: boolean };
        readonly multipath?: boolean;
        readonly nexthops: readonly { readonly ip: string }[];
      }[];
    };
    const used = (answer.paths ?? []).filter(
      (one) => one.bestpath?.overall === true || one.multipath === true,
    );
    return [...new Set(used.flatMap(({ nexthops }) => nexthops.map(({ ip }) => ip)))].sort();
  }

  test('of two paths that are as good one is used, the other as soon as its peer is not heard', async () => {
    const change = (preference: number) =>
      overlay.setItem(subnetBehind(overlay.peerId('edge1'), { id: 'subnet-1', prefix, preference }));
    change(100);
    await overlay.apply();
    const both = ['edge1', 'edge2'].map((name) => addressOf(fleet.number(name))).sort();
    for (const hub of hubs) {
      await until(async () => JSON.stringify(await nextHopsAt(hub)) === JSON.stringify(both));
    }
    // What the kernel had is as good as before.
    await allUse('edge1');
    await measured('one of two equal paths cut', {
      breaks: () => host('edge1').must('ip', 'link', 'set', 'eth0', 'down'),
      async mends() {
        await host('edge1').must('ip', 'link', 'set', 'eth0', 'up');
        await allEstablished();
        change(200);
        await overlay.apply();
      },
    });
    const preferred = JSON.stringify([addressOf(fleet.number('edge1'))]);
    await expect
      .poll(async () => JSON.stringify(await nextHopsAt('hub1')), { timeout: 60_000 })
      .toBe(preferred);
  });

  /** What a node has said last of refused configurations. */
  function refused(name: string, from: number): readonly string[] | null {
    for (const { hostname, message } of fleet.platform.said.slice(from).toReversed()) {
      if (hostname !== name || message.kind !== 'problems') continue;
      return message.problems.flatMap(({ code, detail }) =>
        code === 'routing_daemon_refused' ? [detail] : [],
      );
    }
    return null;
  }

  test('a policy that only FRR refuses is told in its words, and nothing else changes', async () => {
    await allEstablished();
    await allUse('edge1');
    const begun = names.map((name) => [...sessions(name).values()].map((one) => one.established_at));
    const flow = new Flow(host('edge3'), shared);
    const from = fleet.platform.said.length;
    // The platform lets no such community through. The preference in front of it would move the prefix.
    const set = { local_pref: 1, community: '70000:1' };
    const policy = (of: object) =>
      overlay.setItem({
        ...{ type: 'route_policy', id: 'policy-1', networkId: overlay.networkId, direction: 'import' },
        statements: [
          { seq: 10, match: { prefix, peer: overlay.peerId('edge1') }, set: of, action: 'permit' },
        ],
      });
    policy(set);
    await overlay.apply();
    for (const name of names) {
      await until(async () => refused(name, from)?.some((detail) => detail.includes('70000:1')));
      expect(refused(name, from)).toEqual([expect.stringMatching(/^FRR refused "set community .*stays\.$/)]);
    }
    expect(await usedBy('hub1')).toBe('edge1');
    expect(await usedBy('hub2')).toBe('edge1');
    expect((await flow.end()).lost).toBe(0);
    const after = names.map((name) => [...sessions(name).values()].map((one) => one.established_at));
    expect(after).toEqual(begun);
    // Corrected, it acts.
    const corrected = fleet.platform.said.length;
    policy({ local_pref: 1 });
    await overlay.apply();
    await allUse('edge2');
    for (const name of names) await until(async () => refused(name, corrected)?.length === 0);
    overlay.removeItem('policy-1');
    await overlay.apply();
    await allUse('edge1');
  });

  test('an agent that is killed and comes back finds its daemons, and no session begins anew', async () => {
    await allEstablished();
    const begun = names.map((name) => [...sessions(name).values()].map((one) => one.established_at));
    const pids = await Promise.all(names.map((name) => pidsOf(name, 'bgpd')));
    const flow = new Flow(host('edge3'), shared);
    const from = fleet.platform.said.length;
    const before = names.map(configurations);
    for (const name of names) {
      await fleet.kill(name);
      fleet.run(host(name));
    }
    await allEstablished(from);
    await allUse('edge1');
    expect((await flow.end()).lost).toBe(0);
    expect(await Promise.all(names.map((name) => pidsOf(name, 'bgpd')))).toEqual(pids);
    expect(names.map(configurations)).toEqual(before);
    for (const [i, name] of names.entries()) {
      const times = [...sessions(name, from).values()].map((one) => Date.parse(one.established_at ?? ''));
      const earlier = begun[i]?.map((time) => Date.parse(time ?? '')) ?? [];
      expect(Math.max(...times)).toBeLessThan(Math.max(...earlier) + 3_000);
    }
  });

  test('only neighbors reach a bgpd, whatever rules say', async () => {
    const connects = async (from: string, to: string) => {
      const script = `exec 3<>/dev/tcp/${addressOf(fleet.number(to))}/179`;
      return (await host(from).run('timeout', '2', 'bash', '-c', script)).code === 0;
    };
    expect(await connects('edge3', 'hub1')).toBe(true);
    expect(await connects('edge3', 'edge1')).toBe(false);
  });

  test('a machine that leaves has nothing of FRR any more', async () => {
    expect((await host('edge3').agent('leave', '--local')).code).toBe(0);
    for (const program of ['bgpd', 'bfdd', 'zebra']) expect(await pidsOf('edge3', program)).toEqual([]);
    expect((await host('edge3').run('ls', '/run/powernode-frr')).code).not.toBe(0);
  });
});
